"""trends.csv: does the gap between a precision and the baseline grow with the context?

Model: d = a_query + slope * log2(prompt tokens) + error, where d is the paired difference of a
query's score at one k. The queries' own levels a_query are taken out (fixed effects), so the slope
compares a query with itself at more context, not long queries with short ones. Errors may be
correlated in any way inside a cluster: cluster-robust variance (Liang & Zeger 1986; CR1), t with
clusters - 1 degrees of freedom.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from quantrag.names import NO_RETRIEVER, NOISE_FLOOR
from quantrag.scoring.metrics import Metric
from quantrag.statistics.paired import holm
from quantrag.statistics.score_arrays import ScoreArrays

POOLED, ALL = "(pooled)", "(all)"
TREND_COLUMNS = [
    *["task", "model", "retriever", "precision", "metric", "slope_per_doubling"],
    *["ci_low", "ci_high", "p_holm", "p_value", "standard_error", "between_models_sd"],
    *["n", "n_clusters", "n_models"],
]


class Slope(NamedTuple):
    """A slope and its cluster-robust standard error; NaN where x doesn't vary."""

    slope: float
    error: float


def clustered_slope(
    y: np.ndarray, x: np.ndarray, clusters: np.ndarray, n_clusters: int, include: np.ndarray
) -> Slope:
    """Slope of y on x within queries, with errors correlated inside clusters.

    Args:
        y, x: float64 (cells, queries).
        clusters: int (queries,), codes from 0.
        n_clusters: number of clusters.
        include: bool (cells, queries), which observations count.
    """
    weight = include.astype(np.float64)
    count = np.maximum(weight.sum(axis=0), 1)
    x = np.where(include, x, 0.0)
    y = np.where(include, y, 0.0)
    x = (x - x.sum(axis=0) / count) * weight
    y = (y - y.sum(axis=0) / count) * weight
    spread = np.sum(x**2)
    # Queries that fill the window at each k still differ by rounding.
    if spread < 1e-9 or n_clusters < 2:
        return Slope(np.nan, np.nan)
    slope = np.sum(x * y) / spread
    scores = np.bincount(clusters, np.sum(x * (y - slope * x), axis=0), minlength=n_clusters)
    variance = n_clusters / (n_clusters - 1) * np.sum(scores**2) / spread**2
    return Slope(slope, np.sqrt(variance))


def trend(grid: ScoreArrays, *, baseline: str, policy: str, confidence: float) -> pd.DataFrame:
    """Slopes of one task: per model, retriever and precision, and pooled over models.

    The cell without retrieval (k = 0) is the shortest context of every retriever. A metric that
    isn't a mean over queries (RMSE, macro F1) has no per-query difference and no trend.

    Args:
        grid: the task's scores.
        baseline: name of the precision to compare with.
        policy: `worst_case` or `exclude`, as in `compare`.
        confidence: of the intervals.

    Returns:
        Columns `TREND_COLUMNS`; slopes in the metric's unit per doubling of the prompt's tokens.
        Pooled rows have the model `(pooled)` and the retriever `(all)`.
    """
    frames = []
    for metric in grid.metrics:
        if not metric.is_mean:
            continue
        slopes = _slopes(grid, metric, baseline, policy, by_retriever=True)
        per_model = _slopes(grid, metric, baseline, policy, by_retriever=False)
        frames.append(_tested(slopes, confidence))
        frames.append(_tested(_pooled(per_model), confidence))
    frames = [frame for frame in frames if len(frame)]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=TREND_COLUMNS)


def _slopes(
    grid: ScoreArrays, metric: Metric, baseline: str, policy: str, *, by_retriever: bool
) -> pd.DataFrame:
    rows = grid.rows()
    groups: dict[tuple[str, str, str], list[tuple[int, int]]] = {}
    retrievers = [r for r in grid.cells["retriever"].unique() if r != NO_RETRIEVER]
    for (model, precision, retriever, k), row in rows.items():
        reference = rows.get((model, baseline, retriever, k))
        if precision in (baseline, NOISE_FLOOR) or reference is None:
            continue
        own = retrievers if retriever == NO_RETRIEVER else [retriever]
        for name in own if by_retriever else [ALL]:
            groups.setdefault((model, name, precision), []).append((row, reference))
    values = grid.scores[metric.columns[0]]
    entries = []
    for (model, retriever, precision), pairs in groups.items():
        own, reference = np.array(pairs).T
        include = np.ones((len(pairs), len(grid.clusters)), dtype=bool)
        if policy == "exclude":
            include = grid.valid[own] & grid.valid[reference]
        tokens = np.log2(grid.n_tokens[reference])
        difference = values[own] - values[reference]
        slope = clustered_slope(difference, tokens, grid.clusters, grid.n_clusters, include)
        entries.append(
            {
                "task": grid.task.name,
                "model": model,
                "retriever": retriever,
                "precision": precision,
                "metric": metric.key,
                "slope_per_doubling": slope.slope,
                "standard_error": slope.error,
                "between_models_sd": np.nan,
                "n": int(include.sum()),
                "n_clusters": grid.n_clusters,
                "n_models": 1,
                "degrees": grid.n_clusters - 1,
            }
        )
    return pd.DataFrame(entries)


def _pooled(slopes: pd.DataFrame) -> pd.DataFrame:
    """Random-effects means over models.

    Between-model variance by Paule & Mandel (1982), standard error by Hartung & Knapp (2001) with
    t(models - 1), but never smaller than the usual one (Roever, Knapp & Friede 2015): few models
    that agree by chance would make it arbitrarily small.
    """
    entries = []
    known = slopes.dropna(subset=["slope_per_doubling"]) if len(slopes) else slopes
    for (task, precision, metric), part in (
        known.groupby(["task", "precision", "metric"], sort=False) if len(known) else ()
    ):
        variance = part["standard_error"].to_numpy() ** 2
        if len(part) < 2 or not np.all(variance > 0):
            continue
        result = combine_effects(part["slope_per_doubling"].to_numpy(), variance, use_t=True)
        entries.append(
            {
                "task": task,
                "model": POOLED,
                "retriever": ALL,
                "precision": precision,
                "metric": metric,
                "slope_per_doubling": result.mean_effect_re,
                "standard_error": max(result.sd_eff_w_re_hksj, result.sd_eff_w_re),
                "between_models_sd": np.sqrt(max(result.tau2, 0.0)),
                "n": part["n"].sum(),
                "n_clusters": part["n_clusters"].max(),
                "n_models": len(part),
                "degrees": len(part) - 1,
            }
        )
    return pd.DataFrame(entries)


def _tested(slopes: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Add intervals, p-values and Holm's adjustment over the rows given."""
    if not len(slopes):
        return pd.DataFrame(columns=TREND_COLUMNS)
    estimate = slopes["slope_per_doubling"].to_numpy()
    error = slopes["standard_error"].to_numpy()
    degrees = slopes["degrees"].to_numpy()
    reach = stats.t.ppf((1 + confidence) / 2, degrees) * error
    # No variation at all (every difference 0): nothing speaks against a slope of 0.
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = np.where((error == 0) & (estimate == 0), 0.0, estimate / error)
    p_value = 2 * stats.t.sf(np.abs(statistic), degrees)
    return slopes.assign(
        ci_low=estimate - reach, ci_high=estimate + reach, p_value=p_value, p_holm=holm(p_value)
    )[TREND_COLUMNS]
