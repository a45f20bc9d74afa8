"""Metrics as functions of sums over users, so that resampling is one matrix product.

Every metric here is a function of a few per-user sums: MAE of the sum of absolute errors and the
number of answers, RMSE of squared errors, macro F1 of true positives, predictions and golds of each
label. A resample of users (a vector of weights) times the users' sums gives the resample's sums,
and with them the metric *of the resample*, not a mean of per-query values.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import sparse

from quantrag.scoring.metrics import labels_of
from quantrag.statistics.grid import TaskGrid

# The per-query column whose mean the metric is (RMSE: the root of the mean).
QUERY_COLUMN = {
    "mae": "absolute_error",
    "rmse": "squared_error",
    "accuracy": "correct",
    "rouge1": "rouge1",
    "rougeL": "rougeL",
}


class Estimator(NamedTuple):
    """Per-user sums and the function that makes estimates of weighted sums.

    Attributes:
        sums: float64 (users, columns).
        evaluate: maps (n, columns), each row the sums of one resample, to (n, estimates).
    """

    sums: np.ndarray
    evaluate: Callable[[np.ndarray], np.ndarray]


def point(estimator: Estimator) -> np.ndarray:
    """The estimates on the data themselves, (estimates,)."""
    return estimator.evaluate(estimator.sums.sum(axis=0, keepdims=True))[0]


def metric_sums(
    grid: TaskGrid, metric: str, rows: np.ndarray, include: np.ndarray | None = None
) -> np.ndarray:
    """Per-user sums that a metric needs.

    Args:
        grid: the task's scores.
        metric: its name.
        rows: int (cells,), rows of the grid.
        include: bool (cells, queries), which answers count; None for all.

    Returns:
        float64 (users, parts * cells), for `evaluate_metric`.
    """
    if include is None:
        include = np.ones((len(rows), len(grid.users)), dtype=bool)
    if metric == "f1":
        parts = []
        for code in range(len(labels_of(grid.lamp))):
            predicted = include & (grid.predicted[rows] == code)
            gold = include & (grid.golds == code)
            parts += [predicted & gold, predicted, gold]
    else:
        parts = [np.where(include, grid.scores[QUERY_COLUMN[metric]][rows], 0.0), include]
    stacked = np.concatenate([part.astype(np.float64) for part in parts])
    queries = np.arange(len(grid.users))
    ones = np.ones(len(queries))
    by_user = sparse.csr_array((ones, (grid.users, queries)), shape=(grid.n_users, len(queries)))
    return by_user @ stacked.T


def evaluator(grid: TaskGrid, metric: str) -> Callable[[np.ndarray], np.ndarray]:
    """The function from sums, (n, parts * cells), to the metric, (n, cells).

    NaN where no answer counts.
    """
    if metric == "f1":
        n_labels = len(labels_of(grid.lamp))
        return lambda sums: _macro_f1(sums.reshape(len(sums), n_labels, 3, -1))
    return _root_mean if metric == "rmse" else _mean


def scores_estimator(
    grid: TaskGrid, metric: str, rows: np.ndarray, include: np.ndarray | None = None
) -> Estimator:
    """The metric of each of the cells `rows`; arguments as `metric_sums`."""
    return Estimator(metric_sums(grid, metric, rows, include), evaluator(grid, metric))


def difference_estimator(
    grid: TaskGrid, metric: str, pairs: np.ndarray, include: np.ndarray | None = None
) -> Estimator:
    """The metric's difference between two cells, first minus second.

    Args:
        grid: the task's scores.
        metric: its name.
        pairs: int (n, 2), rows of the grid.
        include: bool (n, queries), which queries count.

    Returns:
        An estimator whose sums hold those of the first cells, then those of the second.
    """
    evaluate = evaluator(grid, metric)

    def difference(sums: np.ndarray) -> np.ndarray:
        first, second = np.split(sums, 2, axis=1)
        return evaluate(first) - evaluate(second)

    sums = [metric_sums(grid, metric, rows, include) for rows in pairs.T]
    return Estimator(np.concatenate(sums, axis=1), difference)


def _mean(sums: np.ndarray) -> np.ndarray:
    total, count = np.split(sums, 2, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return total / count


def _root_mean(sums: np.ndarray) -> np.ndarray:
    # Taking one user's sum from a total can leave -1e-17 where only that user had an error.
    return np.sqrt(np.maximum(_mean(sums), 0.0))


def _macro_f1(parts: np.ndarray) -> np.ndarray:
    """(n, labels, 3, cells) to (n, cells)."""
    hits, predicted, golds = parts[:, :, 0], parts[:, :, 1], parts[:, :, 2]
    either = predicted + golds
    # A label that is neither predicted nor gold has F1 0, as in scikit-learn.
    scores = np.divide(2 * hits, either, out=np.zeros_like(hits), where=either > 0)
    return np.where(golds.sum(axis=1) > 0, scores.mean(axis=1), np.nan)
