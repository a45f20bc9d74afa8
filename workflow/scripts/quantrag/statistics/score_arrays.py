"""Per-query scores of one task as arrays: a row per cell of the grid, a column per query."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from quantrag.errors import UserError
from quantrag.scoring.metrics import (
    CORRECT,
    Metric,
    is_recorded,
    metric,
    metrics_for,
    score_columns,
)
from quantrag.scoring.score import LOGPROBS, RIGHT
from quantrag.tables import column_names, read_table
from quantrag.tasks.task import Task

CELL = ["model", "precision", "retriever", "k"]
_COLUMNS = [
    *["task", *CELL, "query_id", "cluster_id", "valid", "n_tokens", "evidence", "flip_key"],
    CORRECT,
    *score_columns(),
    LOGPROBS,
]


@dataclass(frozen=True)
class ScoreArrays:
    """The scores of one task.

    Attributes:
        task: the task.
        cells: model, precision, retriever, k (strings); one row per cell.
        clusters: int (queries,), the cluster of each query (a user, for LaMP) as a code from 0.
        n_clusters: number of clusters, the units that are resampled.
        scores: float64 (cells, queries) for each column of the scores that the task has.
        valid: bool (cells, queries).
        n_tokens: int32 (cells, queries), tokens of the prompt.
        evidence: object (cells, queries), where the evidence stands in the prompt, as
            `quantrag.scoring.evidence` names it.
        answers: int (cells, queries); equal codes are equal answers.
        logprobs: float64 (cells, queries, labels), of the task's labels as answers, NaN where they
            weren't measured; None where none was.
        left_out: bool (cells, queries), answers that count in no comparison; None for none.
    """

    task: Task
    cells: pd.DataFrame
    clusters: np.ndarray
    n_clusters: int
    scores: dict[str, np.ndarray]
    valid: np.ndarray
    n_tokens: np.ndarray
    evidence: np.ndarray
    answers: np.ndarray
    logprobs: np.ndarray | None
    left_out: np.ndarray | None = None

    @property
    def metrics(self) -> list[Metric]:
        """The task's metrics that were measured, in the order of the tables (by name)."""
        metrics = metrics_for(self.task.answer)
        measured = [m for m in metrics if self.scores.keys() >= set(m.columns)]
        recorded = [metric(name) for name in self.scores if is_recorded(name)]
        return sorted([*measured, *recorded], key=lambda metric: metric.key)

    def without(self, name: str) -> "ScoreArrays":
        """The same without the answers of which a recorded score is 1.

        Args:
            name: of the score, without the arrow at the end of its key; its values are 0 and 1.

        Raises:
            UserError: no such score, or other values, or no other metric is there to compare.
        """
        flags = {key[:-1]: key for key in self.scores if is_recorded(key)}
        if name not in flags:
            known = ", ".join(flags) or "none"
            raise UserError(
                f"recorded.without: {self.task.name} has no recorded score {name!r}. It has: "
                f"{known}."
            )
        values = self.scores[flags[name]]
        if not np.isin(values, (0.0, 1.0)).all():
            raise UserError(
                f"recorded.without: {name} of {self.task.name} has other values than 0 and 1."
            )
        scores = {key: value for key, value in self.scores.items() if key != flags[name]}
        rest = replace(self, scores=scores, left_out=values == 1)
        if not rest.metrics:
            raise UserError(
                f"recorded.without: {name} is the only score of {self.task.name}, so nothing is "
                "left to compare without it."
            )
        return rest

    def counting(self, *rows: np.ndarray | int) -> np.ndarray:
        """Which queries' answers are left out in none of these cells, bool.

        Args:
            rows: numbers of cells, each one number or (n,).

        Returns:
            (queries,), or (n, queries).
        """
        if self.left_out is None:
            return np.ones((*np.shape(rows[0]), len(self.clusters)), dtype=bool)
        return ~np.any([self.left_out[row] for row in rows], axis=0)

    def rows(self) -> dict[tuple[str, str, str, str], int]:
        """Row of each cell (model, precision, retriever, k)."""
        return {cell: row for row, cell in enumerate(self.cells.itertuples(index=False, name=None))}


def load_score_arrays(paths: Iterable[str | Path], tasks: Sequence[Task]) -> list[ScoreArrays]:
    """Read the score files of an experiment.

    Args:
        paths: files that the rule `score` wrote.
        tasks: the experiment's tasks; also the order of the result.

    Raises:
        UserError: cells whose queries differ.
        KeyError: a task that isn't among `tasks`.
    """
    return score_arrays_of((read_table(path, _columns_of(path)) for path in paths), tasks)


def _columns_of(path: str | Path) -> list[str]:
    """The columns to read; those of recorded answers are not in every file of scores."""
    return _COLUMNS + [name for name in column_names(path) if is_recorded(name) or name == RIGHT]


def score_arrays_of(frames: Iterable[pd.DataFrame], tasks: Sequence[Task]) -> list[ScoreArrays]:
    """As `load_score_arrays`, from frames in memory."""
    parts: dict[str, list[tuple[tuple[str, ...], pd.DataFrame]]] = {t.name: [] for t in tasks}
    for frame in frames:
        for key, part in frame.groupby(["task", *CELL], sort=False):
            parts[key[0]].append((key[1:], part))
    return [_score_arrays(task, parts[task.name]) for task in tasks if parts[task.name]]


def _score_arrays(task: Task, cells: Sequence[tuple[tuple[str, ...], pd.DataFrame]]) -> ScoreArrays:
    first = cells[0][1]
    query_ids = first["query_id"].tolist()
    for key, part in cells:
        if part["query_id"].tolist() != query_ids:
            raise UserError(
                f"scores of {task.name}, cell {'/'.join(key)}: other queries (or another order) "
                f"than {'/'.join(cells[0][0])} has. Score the whole experiment again."
            )
    clusters, names = pd.factorize(first["cluster_id"])
    frames = [part for _, part in cells]
    extra = [name for name in first.columns if is_recorded(name) or name == RIGHT]
    values = {name: _stack(frames, name) for name in (CORRECT, *score_columns(), *extra)}
    keys = pd.concat([frame["flip_key"] for frame in frames], ignore_index=True)
    shape = (len(frames), len(query_ids))
    logprobs = np.stack([_label_logprobs(frame, task) for frame in frames])
    return ScoreArrays(
        task=task,
        cells=pd.DataFrame([key for key, _ in cells], columns=CELL),
        clusters=clusters,
        n_clusters=len(names),
        scores={name: value for name, value in values.items() if not np.isnan(value).all()},
        valid=_stack(frames, "valid"),
        n_tokens=_stack(frames, "n_tokens"),
        evidence=_stack(frames, "evidence"),
        answers=pd.factorize(keys)[0].reshape(shape),
        logprobs=None if np.isnan(logprobs).all() else logprobs,
    )


def _label_logprobs(frame: pd.DataFrame, task: Task) -> np.ndarray:
    logprobs = np.full((len(frame), len(task.labels)), np.nan)
    known = frame[LOGPROBS].notna().to_numpy()
    if known.any():
        logprobs[known] = np.stack(frame.loc[known, LOGPROBS])
    return logprobs


def _stack(frames: Sequence[pd.DataFrame], column: str) -> np.ndarray:
    return np.stack([frame[column].to_numpy() for frame in frames])
