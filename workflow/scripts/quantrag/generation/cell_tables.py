"""The tables around generation: prompts in, the order to feed them in, completions out."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from quantrag.engines.base import Completion
from quantrag.errors import UserError
from quantrag.grid import Cell
from quantrag.tables import read_arrow

_COLUMNS = ["query_id", "k", "prompt", "token_ids", "n_tokens", "prompt_hash"]


COMPLETIONS_SCHEMA = pa.schema(
    [
        ("query_id", pa.string()),
        ("prompt_hash", pa.string()),
        ("text", pa.string()),
        ("finish_reason", pa.string()),
        ("prompt_tokens", pa.int32()),
        ("cached_tokens", pa.int32()),
        ("output_tokens", pa.int32()),
        (
            "first_token_logprobs",
            pa.list_(pa.struct([("token", pa.string()), ("logprob", pa.float64())])),
        ),
    ]
)


def read_prompts(paths: Sequence[str | Path]) -> pa.Table:
    """All prompts of a model, with `task` and `retriever` from the files' paths.

    Raises:
        UserError: a file is missing or lacks a column.
    """
    tables = []
    for path in map(Path, paths):
        table = read_arrow(path)
        absent = [name for name in _COLUMNS if name not in table.column_names]
        if absent:
            raise UserError(f"{path}: no column {', '.join(absent)}: not a file of prompts.")
        table = table.select(_COLUMNS).cast(
            pa.schema(
                [
                    ("query_id", pa.string()),
                    ("k", pa.string()),
                    ("prompt", pa.large_string()),
                    ("token_ids", pa.large_list(pa.int32())),
                    ("n_tokens", pa.int32()),
                    ("prompt_hash", pa.string()),
                ]
            )
        )
        for name, value in (("task", path.parent.name), ("retriever", path.stem)):
            table = table.append_column(name, pa.repeat(value, len(table)))
        tables.append(table)
    return pa.concat_tables(tables).combine_chunks()


def cell_rows(
    prompts: pa.Table, completion_files: Sequence[str | Path]
) -> list[tuple[Path, np.ndarray]]:
    """The rows of `prompts` (in their order) that each completions file answers.

    Raises:
        UserError: a cell has no prompts.
    """
    keys = prompts.select(["task", "retriever", "k"]).to_pandas()
    groups = {
        name: np.asarray(rows)
        for name, rows in keys.groupby(["task", "retriever", "k"], sort=False).indices.items()
    }
    cells = []
    for path in map(Path, completion_files):
        cell = Cell.parse(path)
        key = (cell.task, cell.retriever, str(cell.k))
        if key not in groups:
            raise UserError(f"{path}: there are no prompts for the cell {cell}.")
        cells.append((path, np.sort(groups[key])))
    return cells


def ordered(
    rows: Sequence[int], token_ids: Callable[[int], np.ndarray], order: str, seed: int | None
) -> list[int]:
    """Put prompts in the order in which they are fed to the engine.

    Args:
        rows: the prompts.
        token_ids: gives a prompt's token ids.
        order: `prefix`: sorted by token ids, so that shared beginnings stand together and the
            prefix cache computes them once; `length`: longest first, so that batches are even and
            a lack of memory shows at once.
        seed: shuffle instead, for the noise floor.
    """
    if seed is not None:
        rows = sorted(rows)
        random.Random(seed).shuffle(rows)
        return rows
    if order == "length":
        return sorted(rows, key=lambda row: (-len(token_ids(row)), row))
    # Big-endian bytes compare like the numbers, and far faster than tuples.
    return sorted(rows, key=lambda row: (token_ids(row).astype(">u4").tobytes(), row))


def completions_table(
    prompts: pa.Table, rows: np.ndarray, completions: Sequence[Completion]
) -> pa.Table:
    """One cell's completions, in the order of its prompts."""
    chosen = prompts.select(["query_id", "prompt_hash"]).take(pa.array(rows))
    columns: dict[str, Any] = {
        name: [getattr(completion, name) for completion in completions]
        for name in COMPLETIONS_SCHEMA.names[2:-1]
    }
    columns["first_token_logprobs"] = [
        [{"token": token, "logprob": logprob} for token, logprob in c.first_token_logprobs]
        for c in completions
    ]
    return pa.table({**{n: chosen.column(n) for n in chosen.column_names}, **columns}).cast(
        COMPLETIONS_SCHEMA
    )
