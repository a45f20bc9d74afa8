"""Calibration texts from elsewhere than the train split: a corpus, a text file, a data set."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from quantrag.errors import UserError
from quantrag.quantization.calibration import SCHEMA, normalize
from quantrag.tables import read_arrow
from quantrag.tasks.data_sets import open_data_set

log = logging.getLogger(__name__)

#: Characters of an evaluated text from which it is looked for inside the calibration texts.
_SHORTEST_PART = 20


def read_lines(path: str | Path) -> list[str]:
    """The texts of a file with one text in each line; empty lines are left out.

    Only line feeds end a line (with a carriage return before it or not): the other characters that
    Unicode calls line ends (form feed, U+2028, ...) are part of texts. A byte order mark is none.

    Raises:
        UserError: there is no such file, or it is not UTF-8.
    """
    try:
        lines = Path(path).read_bytes().decode("utf-8-sig").split("\n")
    except (FileNotFoundError, IsADirectoryError):
        raise UserError(f"calibration: {path}: no such file.") from None
    except UnicodeDecodeError as error:
        raise UserError(f"calibration: {path}: not UTF-8 ({error}).") from None
    return [line.removesuffix("\r") for line in lines if line.strip()]


def read_corpora(paths: Iterable[str | Path]) -> list[str]:
    """The passages of corpora, each with its title in a line of its own where it has one.

    Args:
        paths: tables of documents (`quantrag.tasks.schemas.DOCUMENTS`).
    """
    texts: list[str] = []
    for path in paths:
        table = read_arrow(path, columns=["target", "text"])
        for title, text in zip(*(column.to_pylist() for column in table.columns), strict=True):
            texts.append(f"{title}\n{text}" if title else text)
    return texts


def read_dataset(
    path: str, revision: str | None, subset: str | None, split: str, column: str
) -> list[str]:
    """The texts of a data set of the library `datasets`; code that comes with one is never run.

    Args:
        path: a folder of data files, or a name on the Hugging Face Hub.
        revision: commit on the Hub; not used for a folder.
        subset: configuration of a data set that has several.
        split: for example `train`.
        column: the column of the texts.

    Raises:
        UserError: it can't be loaded, has no such split or column, or is on the Hub without a
            revision; says which.
    """
    try:
        data = open_data_set(path, revision, subset, split, streaming=False)
        if column not in data.column_names:
            raise UserError(
                f"data set {path} has no column {column!r}. It has: {', '.join(data.column_names)}."
            )
    except UserError as error:
        raise UserError(f"calibration: {error}") from None
    return [str(text) for text in data[column] if text and str(text).strip()]


def choose_given_texts(
    texts: Sequence[str],
    evaluated: frozenset[str],
    tokenizer,
    *,
    count: int,
    max_tokens: int,
    seed: int,
) -> pa.Table:
    """Choose texts at random; one that contains an evaluated text is never among them.

    An evaluated text of fewer than 20 characters ("Good") says nothing inside a longer one: it must
    be the whole text.

    Args:
        texts: the texts to choose from.
        evaluated: normalized texts that must not occur (`calibration.load_evaluated`).
        tokenizer: the model's.
        count: how many texts; fewer, with a warning, where there are fewer.
        max_tokens: the rest of a text is cut off.
        seed: seed of the choice.

    Returns:
        `calibration.SCHEMA`; `task` is empty and `query_id` the text's number.

    Raises:
        UserError: no text is left.
    """
    rows, left_out = [], 0
    parts = [text for text in evaluated if len(text) >= _SHORTEST_PART]
    for index in np.random.default_rng(seed).permutation(len(texts)):
        if len(rows) == count:
            break
        content = normalize(texts[index])
        if content in evaluated or any(text in content for text in parts):
            left_out += 1
            continue
        ids = tokenizer(texts[index])["input_ids"][:max_tokens]
        rows.append(
            {
                "task": "",
                "query_id": str(index),
                "text": texts[index],
                "token_ids": ids,
                "n_tokens": len(ids),
            }
        )
    if left_out:
        log.warning("%d calibration texts contain an evaluated text: left out", left_out)
    if not rows:
        raise UserError("no calibration text: there is none that does not contain evaluated texts.")
    if len(rows) < count:
        log.warning("%d calibration texts of %d asked for", len(rows), count)
    return pa.Table.from_pylist(rows, schema=SCHEMA)
