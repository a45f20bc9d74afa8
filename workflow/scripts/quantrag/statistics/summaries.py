"""scores.csv: every metric of every cell with its interval."""

import numpy as np
import pandas as pd

from quantrag.statistics.bootstrap import bca_interval, bootstrap, generator, influences, jackknife
from quantrag.statistics.estimators import point, scores_estimator
from quantrag.statistics.grid import TaskGrid

POLICIES = ("worst_case", "exclude")
SCORE_COLUMNS = [
    *["task", "model", "precision", "retriever", "k", "metric", "value", "ci_low", "ci_high", "n"],
    *["unparseable_rate"],
    *[f"{name}_{policy}" for policy in POLICIES for name in ("value", "ci_low", "ci_high")],
]


def summarize(
    grid: TaskGrid, *, policy: str, confidence: float, draws: int, seed: int
) -> pd.DataFrame:
    """Metrics of one task's cells under both policies for invalid answers.

    Args:
        grid: the task's scores.
        policy: the one that `value`, `ci_low`, `ci_high` and `n` follow: `worst_case` counts all
            answers by LaMP's rules, `exclude` only the valid ones.
        confidence: of the intervals.
        draws: bootstrap resamples.
        seed: of the experiment.

    Returns:
        One row per cell and metric, columns `SCORE_COLUMNS`.
    """
    rows = np.arange(len(grid.cells))
    estimators = [
        scores_estimator(grid, metric, rows, grid.valid if kept == "exclude" else None)
        for metric in grid.metrics
        for kept in POLICIES
    ]
    distributions = iter(bootstrap(estimators, draws, generator(seed, "scores", grid.task.name)))
    columns = iter(estimators)
    counts = {"worst_case": np.full(len(rows), len(grid.users)), "exclude": grid.valid.sum(axis=1)}
    parts = []
    for metric in grid.metrics:
        part = grid.cells.assign(task=grid.task.name, metric=metric.key, n=counts[policy])
        part["unparseable_rate"] = 1 - grid.valid.mean(axis=1)
        for kept in POLICIES:
            estimator = next(columns)
            value = point(estimator)
            low, high = bca_interval(
                next(distributions), value, influences(jackknife(estimator)), confidence
            )
            names = ("value", "ci_low", "ci_high")
            for name, column in zip(names, (value, low, high), strict=True):
                part[f"{name}_{kept}"] = column
                if kept == policy:
                    part[name] = column
        parts.append(part)
    frame = pd.concat(parts)
    # Metrics of a cell stay together.
    return frame.sort_index(kind="stable")[SCORE_COLUMNS].reset_index(drop=True)
