"""Data sets of the library `datasets`, from the Hugging Face Hub or a folder, read as streams."""

from collections.abc import Iterator
from typing import Any

from quantrag.errors import UserError
from quantrag.tasks.question_files import check_data_set
from quantrag.tasks.record_files import PlacedRecord


def open_data_set(
    path: str, revision: str | None, subset: str | None, split: str, *, streaming: bool
) -> Any:
    """A split of a data set; code that comes with one is never run.

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
    try:
        return datasets.load_dataset(
            path, subset, split=split, revision=revision, streaming=streaming
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(f"data set {path}: {str(error).splitlines()[0]}") from None


def read_data_set(
    path: str, revision: str | None, subset: str | None, split: str
) -> Iterator[PlacedRecord]:
    """Place and content of each record; arguments and errors as `open_data_set`."""
    records = open_data_set(path, revision, subset, split, streaming=True)
    for number, record in enumerate(records, start=1):
        yield f"data set {path}, {split}, record {number}", record
