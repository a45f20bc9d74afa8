"""Data sets of the library `datasets`, from the Hugging Face Hub or a folder, read as streams."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from quantrag.errors import UserError
from quantrag.runtime.credentials import redact, secret
from quantrag.runtime.hub_failures import explain_data_set
from quantrag.tasks.question_files import check_data_set
from quantrag.tasks.record_files import PlacedRecord


def open_data_set(
    path: str, revision: str | None, subset: str | None, split: str, *, streaming: bool
) -> Any:
    """A split of a data set; code that comes with one is never run.

    The access token is taken only from the environment variable HF_TOKEN.

    Args:
        path: a folder of data files, or a name on the Hugging Face Hub.
        revision: commit on the Hub; not used for a folder.
        subset: configuration of a data set that has several.
        split: for example `train`.
        streaming: whether to read record by record, instead of storing the whole data set first.

    Returns:
        `datasets.IterableDataset` when streaming, else `datasets.Dataset`.

    Raises:
        UserError: it can't be loaded, has no such split, or is on the Hub without a revision.
    """
    import datasets

    check_data_set(path, revision)
    token = secret("HF_TOKEN") or False
    try:
        return datasets.load_dataset(
            path, subset, split=split, revision=revision, streaming=streaming, token=token
        )
    except Exception as error:
        # Those of the Hub's library and of that for HTTP hold the request with its headers.
        raise _failure(error, path, revision) from None


def read_data_set(
    path: str, revision: str | None, subset: str | None, split: str
) -> Iterator[PlacedRecord]:
    """Place and content of each record; arguments and errors as `open_data_set`."""
    records = iter(open_data_set(path, revision, subset, split, streaming=True))
    for number in itertools.count(1):
        try:
            record = next(records, None)
        except Exception as error:
            # What is read as a stream is downloaded only here.
            raise _failure(error, path, revision) from None
        if record is None:
            return
        yield f"data set {path}, {split}, record {number}", record


def _failure(error: Exception, path: str, revision: str | None) -> UserError:
    """What went wrong, in one line."""
    if not Path(path).is_dir():
        reason = explain_data_set(error, path, str(revision))
        if reason:
            return UserError(f"data set {reason}")
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return UserError(f"data set {path}: {redact(first)}")
