"""Per-query scores of one task as arrays: a row per cell of the grid, a column per query."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from quantrag.errors import UserError
from quantrag.scoring.metrics import LABEL, LOGPROBS, METRICS, QUERY_METRICS, kind_of, labels_of
from quantrag.tables import read_table

CELL = ["model", "precision", "retriever", "k"]
_COLUMNS = [
    *["task", *CELL, "query_id", "user_id", "gold", "valid", "n_tokens", "flip_key"],
    *QUERY_METRICS,
    *LOGPROBS,
]


@dataclass(frozen=True)
class TaskGrid:
    """The scores of one task.

    Attributes:
        task: its name.
        lamp: number of the LaMP task.
        cells: model, precision, retriever, k (strings); one row per cell.
        users: int (queries,), the user of each query as a code from 0.
        n_users: number of users, the units that are resampled.
        scores: float64 (cells, queries) for each per-query metric that the task has.
        valid: bool (cells, queries).
        n_tokens: int32 (cells, queries), tokens of the prompt.
        answers: int (cells, queries); equal codes are equal answers.
        predicted, golds: label codes (cells, queries) and (queries,), -1 for no label; None
            where the task has no labels.
        logprobs: float64 (cells, queries, 5), NaN where unknown; None where the task has none.
    """

    task: str
    lamp: int
    cells: pd.DataFrame
    users: np.ndarray
    n_users: int
    scores: dict[str, np.ndarray]
    valid: np.ndarray
    n_tokens: np.ndarray
    answers: np.ndarray
    predicted: np.ndarray | None
    golds: np.ndarray | None
    logprobs: np.ndarray | None

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the task's metrics."""
        return METRICS[kind_of(self.lamp)]

    def rows(self) -> dict[tuple[str, str, str, str], int]:
        """Row of each cell (model, precision, retriever, k)."""
        return {cell: row for row, cell in enumerate(self.cells.itertuples(index=False, name=None))}


def load_grids(paths: Iterable[str | Path], lamps: Mapping[str, int]) -> list[TaskGrid]:
    """Read the score files of an experiment.

    Args:
        paths: files that the rule `score` wrote.
        lamps: LaMP number of each task; also the order of the result.

    Raises:
        UserError: cells whose queries differ.
        KeyError: a task that `lamps` doesn't name.
    """
    return grids_of((read_table(path, _COLUMNS) for path in paths), lamps)


def grids_of(frames: Iterable[pd.DataFrame], lamps: Mapping[str, int]) -> list[TaskGrid]:
    """As `load_grids`, from frames in memory."""
    parts: dict[str, list[tuple[tuple[str, ...], pd.DataFrame]]] = {task: [] for task in lamps}
    for frame in frames:
        for key, part in frame.groupby(["task", *CELL], sort=False):
            parts[key[0]].append((key[1:], part))
    return [_grid(task, lamps[task], cells) for task, cells in parts.items() if cells]


def _grid(task: str, lamp: int, cells: Sequence[tuple[tuple[str, ...], pd.DataFrame]]) -> TaskGrid:
    first = cells[0][1]
    query_ids = first["query_id"].tolist()
    for key, part in cells:
        if part["query_id"].tolist() != query_ids:
            raise UserError(
                f"scores of {task}, cell {'/'.join(key)}: other queries (or another order) than "
                f"{'/'.join(cells[0][0])} has. Score the whole experiment again."
            )
    users, names = pd.factorize(first["user_id"])
    frames = [part for _, part in cells]
    values = {name: _stack(frames, name) for name in QUERY_METRICS}
    keys = pd.concat([frame["flip_key"] for frame in frames], ignore_index=True)
    shape = (len(frames), len(query_ids))
    logprobs = np.stack([_stack(frames, name) for name in LOGPROBS], axis=-1)
    labelled = kind_of(lamp) == LABEL
    return TaskGrid(
        task=task,
        lamp=lamp,
        cells=pd.DataFrame([key for key, _ in cells], columns=CELL),
        users=users,
        n_users=len(names),
        scores={name: value for name, value in values.items() if not np.isnan(value).all()},
        valid=_stack(frames, "valid"),
        n_tokens=_stack(frames, "n_tokens"),
        answers=pd.factorize(keys)[0].reshape(shape),
        predicted=_codes(keys, lamp).reshape(shape) if labelled else None,
        golds=_codes(first["gold"].str.strip(), lamp) if labelled else None,
        logprobs=None if np.isnan(logprobs).all() else logprobs,
    )


def _stack(frames: Sequence[pd.DataFrame], column: str) -> np.ndarray:
    return np.stack([frame[column].to_numpy() for frame in frames])


def _codes(labels: pd.Series, lamp: int) -> np.ndarray:
    codes = {label: code for code, label in enumerate(labels_of(lamp))}
    return labels.map(codes).fillna(-1).to_numpy(dtype=np.int64)
