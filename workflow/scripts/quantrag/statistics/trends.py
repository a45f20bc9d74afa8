"""trends.csv: does the gap between a precision and the baseline change with the context?

Model: d = a_query + slope * log2(prompt tokens) + error over the cells with retrieved documents, d
being the paired difference of a query's score at one k. The queries' own levels a_query are taken
out (fixed effects), so the slope compares a query with itself at more context, not long queries
with short ones. The prompt without documents (k = 0) is another prompt, far from the others on the
scale of tokens; it would decide the slope. It has a coefficient of its own: the step, the mean
difference over k >= 1 minus the difference at k = 0.

Slope and step are ratios of sums over clusters, inside which errors may be correlated in any way.
Their intervals and tests are those of every comparison (`quantrag.statistics.bounded`); where many
clusters differ they equal those of the cluster-robust variance (Liang & Zeger 1986; CR1).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from quantrag.names import NO_RETRIEVER, NOISE_FLOOR
from quantrag.scoring.metrics import Metric
from quantrag.statistics.bounded import Differences
from quantrag.statistics.paired import holm
from quantrag.statistics.score_arrays import ScoreArrays

POOLED, ALL = "(pooled)", "(all)"
TREND_COLUMNS = [
    *["task", "model", "retriever", "precision", "metric", "slope_per_doubling"],
    *["ci_low", "ci_high", "p_holm", "p_value", "standard_error", "between_models_sd"],
    *[
        "n",
        "n_clusters",
        "n_models",
        "gap",
        "baseline_slope",
        "step",
        "step_ci_low",
        "step_ci_high",
    ],
    *["p_step", "p_step_holm", "n_differing", "models_correlation"],
]


def slope_of(
    y: np.ndarray,
    x: np.ndarray,
    clusters: np.ndarray,
    n_clusters: int,
    include: np.ndarray,
    bound: float,
) -> Differences:
    """Slope of y on x within queries, as a mean over clusters weighted by their spread of x.

    Args:
        y, x: float64 (cells, queries).
        clusters: int (queries,), codes from 0.
        n_clusters: number of clusters.
        include: bool (cells, queries), which observations count.
        bound: largest possible size of a y; an unseen cluster may differ by it in one cell.

    Returns:
        One estimate, whose `mean` is the slope and `error` its cluster-robust standard error; NaN
        where x doesn't vary.
    """
    weight = include.astype(np.float64)
    count = np.maximum(weight.sum(axis=0), 1)
    x = np.where(include, x, 0.0)
    x = (x - x.sum(axis=0) / count) * weight
    spread = np.sum(x**2, axis=0)
    # Queries that fill the window at each k still differ by rounding.
    x[:, spread < 1e-9] = 0.0
    y = np.where(include, y, 0.0)
    sums = np.bincount(clusters, np.sum(x * y, axis=0), minlength=n_clusters)
    counts = np.bincount(clusters, np.sum(x**2, axis=0), minlength=n_clusters)
    reach = np.bincount(clusters, np.max(np.abs(x), axis=0, initial=0), minlength=n_clusters)
    differing = np.bincount(clusters, np.any((y != 0) & (x != 0), axis=0), minlength=n_clusters) > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        largest = np.array([bound * reach.sum() / counts.sum()])
    return Differences(sums[None], counts[None], largest, differing[None])


class _Group(NamedTuple):
    """Cells of one model and precision, at one retriever or all: pairs of rows (own, baseline)."""

    without: list[tuple[int, int]]  # k = 0
    with_documents: list[tuple[int, int]]


def trend(grid: ScoreArrays, *, baseline: str, policy: str, confidence: float) -> pd.DataFrame:
    """Slopes and steps of one task: per model, retriever and precision, and pooled over models.

    A metric that isn't a mean over queries (RMSE, macro F1) has no per-query difference and no
    trend.

    Args:
        grid: the task's scores.
        baseline: name of the precision to compare with.
        policy: `worst_case` or `exclude`, as in `compare`.
        confidence: of the intervals.

    Returns:
        Columns `TREND_COLUMNS`; slopes in the metric's unit per doubling of the prompt's tokens,
        `gap` the mean difference at k >= 1, `baseline_slope` the baseline's own. Pooled rows have
        the model `(pooled)` and the retriever `(all)`, and no step.
    """
    frames = []
    for metric in grid.metrics:
        if not metric.is_mean:
            continue
        single, _ = _slopes(grid, metric, baseline, policy, confidence, by_retriever=True)
        per_model, slopes = _slopes(grid, metric, baseline, policy, confidence, by_retriever=False)
        pooled = _pooled(per_model, slopes, confidence)
        for frame in (single, pooled):
            if len(frame):
                adjusted = {
                    "p_holm": holm(frame["p_value"].to_numpy()),
                    "p_step_holm": holm(frame["p_step"].to_numpy()),
                }
                frames.append(frame.assign(**adjusted)[TREND_COLUMNS])
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=TREND_COLUMNS)


def _groups(grid: ScoreArrays, baseline: str, *, by_retriever: bool) -> dict[tuple, _Group]:
    rows = grid.rows()
    retrievers = [r for r in grid.cells["retriever"].unique() if r != NO_RETRIEVER]
    groups: dict[tuple[str, str, str], _Group] = {}
    for (model, precision, retriever, k), row in rows.items():
        reference = rows.get((model, baseline, retriever, k))
        if precision in (baseline, NOISE_FLOOR) or reference is None:
            continue
        own = retrievers if retriever == NO_RETRIEVER else [retriever]
        for name in own if by_retriever else [ALL]:
            group = groups.setdefault((model, name, precision), _Group([], []))
            (group.without if k == "0" else group.with_documents).append((row, reference))
    return groups


def _slopes(
    grid: ScoreArrays,
    metric: Metric,
    baseline: str,
    policy: str,
    confidence: float,
    *,
    by_retriever: bool,
) -> tuple[pd.DataFrame, list[Differences]]:
    values = grid.scores[metric.columns[0]]

    def included(pairs: np.ndarray) -> np.ndarray:
        known = ~np.isnan(values[pairs]).any(axis=1)
        return known & grid.valid[pairs].all(axis=1) if policy == "exclude" else known

    entries, slopes = [], []
    for (model, retriever, precision), group in _groups(
        grid, baseline, by_retriever=by_retriever
    ).items():
        pairs = np.array(group.with_documents, dtype=np.int64).reshape(-1, 2)
        own, reference = pairs.T
        include = included(pairs)
        # Of recorded answers the length may be unknown, 0: it doesn't vary, and there is no slope.
        tokens = np.log2(np.maximum(grid.n_tokens[reference], 1))
        difference = np.where(include, values[own] - values[reference], 0.0)
        usual, _ = metric.largest_differences(values[own], values[reference], include)
        bound = float(np.max(usual, initial=0))
        by_cluster = (grid.clusters, grid.n_clusters, include)
        slope = slope_of(difference, tokens, *by_cluster, bound)
        level = float(np.max(metric.largest(values[reference]), initial=0))
        of_baseline = slope_of(np.where(include, values[reference], 0), tokens, *by_cluster, level)
        step = _step(grid, values, group, included, bound)
        with np.errstate(invalid="ignore"):
            gap = difference.sum() / include.sum()
        (low,), (high,) = slope.interval(confidence)
        (step_low,), (step_high,) = step.interval(confidence)
        entries.append(
            {
                "task": grid.task.name,
                "model": model,
                "retriever": retriever,
                "precision": precision,
                "metric": metric.key,
                "slope_per_doubling": slope.mean[0],
                "ci_low": low,
                "ci_high": high,
                "p_value": slope.p_value()[0],
                "standard_error": slope.error[0],
                "between_models_sd": np.nan,
                "n": int(include.sum()),
                "n_clusters": int(slope.n_clusters[0]),
                "n_models": 1,
                "gap": gap,
                "baseline_slope": of_baseline.mean[0],
                "step": step.mean[0],
                "step_ci_low": step_low,
                "step_ci_high": step_high,
                "p_step": step.p_value()[0],
                "n_differing": int(slope.n_differing[0]),
                "models_correlation": np.nan,
            }
        )
        slopes.append(slope)
    return pd.DataFrame(entries), slopes


def _step(
    grid: ScoreArrays, values: np.ndarray, group: _Group, included, bound: float
) -> Differences:
    """Mean difference over k >= 1 minus the difference at k = 0, over queries that have both."""
    means = []
    for pairs in (group.with_documents, group.without):
        rows = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        include = included(rows)
        difference = np.where(include, values[rows[:, 0]] - values[rows[:, 1]], 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            means.append(difference.sum(axis=0) / include.sum(axis=0))
    step = means[0] - means[1]
    known = ~np.isnan(step)
    sums = np.bincount(grid.clusters, np.where(known, step, 0.0), minlength=grid.n_clusters)
    counts = np.bincount(grid.clusters, known, minlength=grid.n_clusters)
    return Differences(sums[None], counts[None].astype(np.float64), np.array([2 * bound]))


def _pooled(
    slopes: pd.DataFrame, differences: Sequence[Differences], confidence: float
) -> pd.DataFrame:
    """Means of the models' slopes, for a population of models.

    The models answered the same queries, so their slopes are correlated. With v the mean variance
    and c the mean covariance of the slopes over clusters, and s^2 the variance between the observed
    slopes, E[s^2] = tau^2 + v - c, and the mean of M slopes has the variance

        max(s^2, v - c) / M + c

    (Hartung & Knapp 2001 with the floor of Roever, Knapp & Friede 2015, plus what the models have
    in common), with Satterthwaite's degrees of freedom of its two parts.
    """
    entries = []
    groups = slopes.groupby(["task", "precision", "metric"], sort=False) if len(slopes) else ()
    for (task, precision, metric), part in groups:
        part = part.dropna(subset=["slope_per_doubling", "standard_error"])
        m = len(part)
        if m < 2:
            continue
        estimate = part["slope_per_doubling"].to_numpy()
        covariance = covariance_of([differences[i] for i in part.index])
        common = max((covariance.sum() - np.trace(covariance)) / (m * (m - 1)), 0.0)
        own = np.trace(covariance) / m - common
        between = np.var(estimate, ddof=1)
        parts = np.array([max(between, own) / m, common])
        variance = parts.sum()
        if not variance > 0:
            continue
        n_clusters = part["n_clusters"].min()
        degrees = variance**2 / np.sum(parts**2 / [m - 1, max(n_clusters - 1, 1)])
        error = np.sqrt(variance)
        mean = estimate.mean()
        reach = stats.t.ppf((1 + confidence) / 2, degrees) * error
        entries.append(
            {
                "task": task,
                "model": POOLED,
                "retriever": ALL,
                "precision": precision,
                "metric": metric,
                "slope_per_doubling": mean,
                "ci_low": mean - reach,
                "ci_high": mean + reach,
                "p_value": 2 * stats.t.sf(abs(mean) / error, degrees),
                "standard_error": error,
                "between_models_sd": np.sqrt(max(between - own, 0.0)),
                "n": part["n"].sum(),
                "n_clusters": part["n_clusters"].max(),
                "n_models": m,
                "gap": part["gap"].mean(),
                "baseline_slope": part["baseline_slope"].mean(),
                "step": np.nan,
                "step_ci_low": np.nan,
                "step_ci_high": np.nan,
                "p_step": np.nan,
                "n_differing": part["n_differing"].min(),
                "models_correlation": common / (common + own) if own + common > 0 else np.nan,
            }
        )
    return pd.DataFrame(entries)


def covariance_of(slopes: Sequence[Differences]) -> np.ndarray:
    """Covariance matrix over clusters of several slopes on the same clusters, (slopes, slopes)."""
    scores = np.stack([(s.sums[0] - s.mean[0] * s.counts[0]) / s.counts[0].sum() for s in slopes])
    n = scores.shape[1]
    return scores @ scores.T * n / max(n - 1, 1)
