"""The tables around generation: prompts in, the order to feed them in, completions out."""

import logging
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from quantrag.engines.base import Completion, Likelihood
from quantrag.errors import UserError
from quantrag.grid import Cell
from quantrag.tables import read_arrow

log = logging.getLogger(__name__)

_COLUMNS = ["query_id", "k", "prompt", "token_ids", "n_tokens", "prompt_hash"]
_FIELDS = [("logprobs", pa.list_(pa.float64())), ("top", pa.list_(pa.bool_()))]

COMPLETIONS_SCHEMA = pa.schema(
    [
        ("query_id", pa.string()),
        ("prompt_hash", pa.string()),
        ("text", pa.string()),
        ("finish_reason", pa.string()),
        ("prompt_tokens", pa.int32()),
        ("cached_tokens", pa.int32()),
        ("output_tokens", pa.int32()),
        # The answer's own tokens, the ending one included; empty where the engine doesn't say.
        ("token_ids", pa.list_(pa.int32())),
        ("logprobs", pa.list_(pa.float64())),
        # Of each of the prompt's continuations, in their order; null where they weren't asked for.
        ("likelihoods", pa.list_(pa.struct(_FIELDS))),
        # Of the baseline's answer to the same prompt, beside its logprobs under the baseline
        # itself (`reference`); null where it wasn't asked for.
        ("baseline_likelihood", pa.struct([*_FIELDS, ("reference", pa.list_(pa.float64()))])),
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
        # Prompts that were built before there were continuations have none.
        continuations = _continuation_ids(table)
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
        kind = pa.large_list(pa.list_(pa.int32()))
        table = table.append_column("continuations", pa.array(continuations, kind))
        tables.append(table)
    return pa.concat_tables(tables).combine_chunks()


def _continuation_ids(table: pa.Table) -> list[list[list[int]]]:
    if "continuations" not in table.column_names:
        return [[] for _ in range(len(table))]
    return [
        [one["token_ids"] for one in entry or []] for entry in table["continuations"].to_pylist()
    ]


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
    prompts: pa.Table,
    rows: np.ndarray,
    completions: Sequence[Completion],
    likelihoods: Sequence[Sequence[Likelihood] | None] | None = None,
    of_baseline: Sequence[tuple[Likelihood, Sequence[float]] | None] | None = None,
) -> pa.Table:
    """One cell's completions, in the order of its prompts.

    Args:
        prompts: all prompts of the model.
        rows: the cell's.
        completions: of each of these rows.
        likelihoods: of each row's continuations; None where they weren't asked for.
        of_baseline: of the baseline's answer in each row, with its logprobs under the baseline;
            None where it wasn't asked for.
    """
    chosen = prompts.select(["query_id", "prompt_hash"]).take(pa.array(rows))
    unknown = [None] * len(rows)
    columns: dict[str, Any] = {
        name: [getattr(completion, name) for completion in completions]
        for name in (
            *("text", "finish_reason", "prompt_tokens", "cached_tokens", "output_tokens"),
            *("token_ids", "logprobs"),
        )
    }
    columns["likelihoods"] = [
        None if own is None else [_entry(likelihood) for likelihood in own]
        for own in likelihoods or unknown
    ]
    columns["baseline_likelihood"] = [
        None if pair is None else _entry(pair[0]) | {"reference": list(pair[1])}
        for pair in of_baseline or unknown
    ]
    arrays = {n: chosen.column(n) for n in chosen.column_names}
    for name, values in columns.items():
        arrays[name] = pa.array(values, COMPLETIONS_SCHEMA.field(name).type)
    return pa.table({name: arrays[name] for name in COMPLETIONS_SCHEMA.names}).cast(
        COMPLETIONS_SCHEMA
    )


def _entry(likelihood: Likelihood) -> dict[str, Any]:
    return {"logprobs": likelihood.logprobs, "top": likelihood.top}


class Answer(NamedTuple):
    """A baseline's answer: its tokens, and their logprobs under the baseline."""

    token_ids: list[int]
    logprobs: list[float]


def baseline_answers(paths: Sequence[str | Path]) -> dict[str, Answer]:
    """The baseline's answers by the hash of their prompt, where their tokens are known.

    How many have none is logged as a warning: no other precision can be held against them.

    Args:
        paths: the baseline's completions files of all cells.
    """
    answers: dict[str, Answer] = {}
    prompts: set[str] = set()
    for path in paths:
        table = read_arrow(path)
        prompts.update(table.column("prompt_hash").to_pylist())
        if "token_ids" not in table.column_names:
            # Written before they were recorded.
            continue
        table = table.select(["prompt_hash", "token_ids", "logprobs"])
        for prompt_hash, *answer in zip(*(c.to_pylist() for c in table.columns), strict=True):
            if answer[0] and len(answer[0]) == len(answer[1]):
                answers.setdefault(prompt_hash, Answer(*answer))
    if len(answers) < len(prompts):
        log.warning(
            "%d of the baseline's %d answers have no log-probabilities (generated without "
            "likelihoods, or by a server that gives none): divergence and same_top are empty "
            "there. Delete the baseline's journal and completions to generate them again.",
            len(prompts) - len(answers),
            len(prompts),
        )
    return answers
