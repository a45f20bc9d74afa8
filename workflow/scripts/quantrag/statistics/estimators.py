"""Metrics as functions of sums over clusters, so that resampling is one matrix product.

Every metric is a function of a few per-cluster sums (`quantrag.scoring.metrics`). A resample of
clusters (a vector of weights) times the clusters' sums gives the resample's sums, and with them the
metric *of the resample*, not a mean of per-query values.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import sparse

from quantrag.scoring.metrics import Metric
from quantrag.statistics.score_arrays import ScoreArrays


class Estimator(NamedTuple):
    """Per-cluster sums and the function that makes estimates of weighted sums.

    Attributes:
        sums: float64 (clusters, columns).
        evaluate: maps (n, columns), each row the sums of one resample, to (n, estimates).
    """

    sums: np.ndarray
    evaluate: Callable[[np.ndarray], np.ndarray]


def point(estimator: Estimator) -> np.ndarray:
    """The estimates on the data themselves, (estimates,)."""
    return estimator.evaluate(estimator.sums.sum(axis=0, keepdims=True))[0]


def scores_estimator(
    grid: ScoreArrays, metric: Metric, rows: np.ndarray, include: np.ndarray | None = None
) -> Estimator:
    """The metric of each of some cells; NaN where no answer counts.

    Args:
        grid: the task's scores.
        metric: one of the task's metrics.
        rows: int (cells,), rows of the grid.
        include: bool (cells, queries), which answers count; None for all.
    """
    if include is None:
        include = np.ones((len(rows), len(grid.clusters)), dtype=bool)
    columns = [grid.scores[column][rows] for column in metric.columns]
    parts = metric.parts(columns, include, grid.task)
    shape = len(parts), len(rows)
    return Estimator(
        by_cluster(grid, np.concatenate(parts)).T,
        lambda sums: metric.aggregate(sums.reshape(len(sums), *shape)),
    )


def by_cluster(grid: ScoreArrays, values: np.ndarray) -> np.ndarray:
    """Sums over each cluster's queries: (rows, queries) to float64 (rows, clusters)."""
    queries = np.arange(len(grid.clusters))
    ones = np.ones(len(queries))
    members = sparse.csr_array(
        (ones, (grid.clusters, queries)), shape=(grid.n_clusters, len(queries))
    )
    return np.ascontiguousarray((members @ values.T.astype(np.float64)).T)


def difference_estimator(
    grid: ScoreArrays, metric: Metric, pairs: np.ndarray, include: np.ndarray | None = None
) -> Estimator:
    """The metric's difference between two cells, first minus second.

    Args:
        grid: the task's scores.
        metric: one of the task's metrics.
        pairs: int (n, 2), rows of the grid.
        include: bool (n, queries), which queries count.

    Returns:
        An estimator whose sums hold those of the first cells, then those of the second.
    """
    first, second = (scores_estimator(grid, metric, rows, include) for rows in pairs.T)
    evaluate = first.evaluate

    def difference(sums: np.ndarray) -> np.ndarray:
        of_first, of_second = np.split(sums, 2, axis=1)
        return evaluate(of_first) - evaluate(of_second)

    return Estimator(np.concatenate([first.sums, second.sums], axis=1), difference)
