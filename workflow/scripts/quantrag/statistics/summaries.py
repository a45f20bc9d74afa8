"""scores.csv: every metric of every cell with its interval."""

import numpy as np
import pandas as pd

from quantrag.scoring.metrics import Metric
from quantrag.statistics.bootstrap import bca_interval, bootstrap, generator, influences, jackknife
from quantrag.statistics.bounded import Differences
from quantrag.statistics.estimators import by_cluster, point, scores_estimator
from quantrag.statistics.score_arrays import ScoreArrays

POLICIES = ("worst_case", "exclude")
SCORE_COLUMNS = [
    *["task", "model", "precision", "retriever", "k", "metric", "value", "ci_low", "ci_high", "n"],
    *["unparseable_rate"],
    *[f"{name}_{policy}" for policy in POLICIES for name in ("value", "ci_low", "ci_high")],
]


def summarize(
    grid: ScoreArrays, *, policy: str, confidence: float, draws: int, seed: int
) -> pd.DataFrame:
    """Metrics of one task's cells under both policies for invalid answers.

    Args:
        grid: the task's scores.
        policy: the one that `value`, `ci_low`, `ci_high` and `n` follow: `worst_case` counts all
            answers by LaMP's rules, `exclude` only the valid ones.
        confidence: of the intervals.
        draws: bootstrap resamples, of metrics that are no means (macro F1).
        seed: of the experiment.

    Returns:
        One row per cell and metric, columns `SCORE_COLUMNS`.
    """
    rows = np.arange(len(grid.cells))
    counts = {
        "worst_case": np.full(len(rows), len(grid.clusters)),
        "exclude": grid.valid.sum(axis=1),
    }
    parts = []
    for metric in grid.metrics:
        part = grid.cells.assign(task=grid.task.name, metric=metric.key, n=counts[policy])
        part["unparseable_rate"] = 1 - grid.valid.mean(axis=1)
        for kept in POLICIES:
            include = grid.valid if kept == "exclude" else np.ones_like(grid.valid)
            estimator = scores_estimator(grid, metric, rows, include)
            value = point(estimator)
            if metric.is_mean or metric.is_root:
                low, high = _interval_of_mean(grid, metric, include, confidence)
            else:
                rng = generator(seed, "scores", grid.task.name, metric.key)
                (distribution,) = bootstrap([estimator], draws, rng)
                influence = influences(jackknife(estimator))
                low, high = bca_interval(distribution, value, influence, confidence)
                n_clusters = np.sum(by_cluster(grid, include) > 0, axis=1)
                low, high = (np.where(n_clusters > 1, end, np.nan) for end in (low, high))
            names = ("value", "ci_low", "ci_high")
            for name, column in zip(names, (value, low, high), strict=True):
                part[f"{name}_{kept}"] = column
                if kept == policy:
                    part[name] = column
        parts.append(part)
    frame = pd.concat(parts)
    # Metrics of a cell stay together.
    return frame.sort_index(kind="stable")[SCORE_COLUMNS].reset_index(drop=True)


def _interval_of_mean(
    grid: ScoreArrays, metric: Metric, include: np.ndarray, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of the cells' means (of their roots), from values between 0 and the bound."""
    values = np.where(include, grid.scores[metric.columns[0]], np.nan)
    high = metric.largest(values)
    low = np.minimum(np.min(np.nan_to_num(values), axis=1, initial=0), 0)  # of recorded scores
    middle, half = (low + high) / 2, (high - low) / 2
    centred = Differences(
        by_cluster(grid, np.nan_to_num(values - middle[:, None])), by_cluster(grid, include), half
    )
    low, high = (end + middle for end in centred.interval(confidence))
    if metric.is_root:
        return np.sqrt(np.maximum(low, 0)), np.sqrt(high)
    return low, high
