"""comparisons.csv: each precision against the baseline on the same prompts; pooled.csv: means.

Interval, p-value and equivalence of a comparison are read from one function of the data
(`quantrag.statistics.bounded`). Per model and precision the mean over all cells (retrievers and k)
is tested first, and the single cells only where it finds a difference (`gatekept`).
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from quantrag.names import NO_RETRIEVER, NOISE_FLOOR
from quantrag.scoring.likelihoods import divergence
from quantrag.scoring.metrics import CORRECT, Metric
from quantrag.scoring.score import RIGHT
from quantrag.statistics.bootstrap import generator
from quantrag.statistics.bounded import Differences
from quantrag.statistics.effects import Effect, effect, pooled
from quantrag.statistics.estimators import by_cluster, difference_estimator, point, scores_estimator
from quantrag.statistics.margins import limits
from quantrag.statistics.paired import gatekept, holm, swap_pvalues
from quantrag.statistics.score_arrays import ScoreArrays

#: Where fewer clusters differ, an interval rests on what wasn't seen more than on what was: it is
#: marked as such wherever it is shown (docs/statistics.md).
FEW_DIFFERING = 15

COMPARISON_COLUMNS = [
    *["task", "model", "retriever", "k", "metric", "baseline", "precision", "difference"],
    *["ci_low", "ci_high", "p_value", "p_holm", "margin", "equivalent", "flip_rate"],
    *["noise_flip_rate", "verdict", "baseline_value", "precision_value", "p_equivalence"],
    *["min_detectable", "min_detectable_holm", "right_to_wrong", "wrong_to_right", "kl"],
    *["unparseable_rate", "baseline_unparseable_rate", "n", "n_clusters"],
    *["noise_right_to_wrong", "noise_wrong_to_right", "n_differing", "margin_needs", "p_swap"],
    *["p_flips", "n_kl"],
]
_NAMES = ["task", "model", "retriever", "k", "baseline", "precision"]
POOLED_COLUMNS = [
    *["task", "model", "metric", "baseline", "precision", "difference", "ci_low", "ci_high"],
    *["p_value", "p_holm", "margin", "p_equivalence", "equivalent", "verdict"],
    *["baseline_value", "precision_value", "min_detectable", "margin_needs"],
    *["n_cells", "n", "n_clusters", "n_differing"],
]


def compare(
    grid: ScoreArrays,
    *,
    baseline: str,
    policy: str,
    confidence: float,
    margin: float | Mapping,
    power: float,
    permutations: int,
    seed: int,
    subset: np.ndarray | None = None,
) -> pd.DataFrame:
    """Compare every precision with the baseline in every cell of one task.

    Args:
        grid: the task's scores.
        baseline: name of the precision to compare with.
        policy: `worst_case` (all answers count) or `exclude` (queries with two valid answers).
        confidence: of the intervals; 1 - confidence is the level of the tests.
        margin: largest difference that doesn't matter (`quantrag.statistics.margins`).
        power: of `min_detectable` and `margin_needs`.
        permutations: of `p_swap`.
        seed: of the experiment.
        subset: bool (cells, queries), which answers to compare; the same ones of all precisions of
            a model. None for all.

    Returns:
        One row per model, retriever, k, metric and precision; columns `COMPARISON_COLUMNS`. The
        difference is precision minus baseline, in the metric's own unit and direction. A cell
        without any answer of the subset has no row.
    """
    alpha = 1 - confidence
    subset = _all_or(subset, grid)
    pairs, shared = pairs_of(grid, baseline, subset)
    if not len(pairs):
        return pd.DataFrame(columns=COMPARISON_COLUMNS)
    include = included(grid, pairs, policy, subset)
    shared = shared.join(_changed_answers(grid, pairs, subset))
    groups = groups_of(shared)
    without = _without_retrieval(grid, pairs)
    parts = []
    for metric in grid.metrics:
        own = effect(grid, metric, pairs, include)
        p_value = own.differences.p_value()
        if metric.is_mean:
            of_groups = pooled(own, groups).p_value()
            p_holm = gatekept(p_value, groups, np.minimum(1.0, of_groups * len(of_groups)))
        else:
            p_holm = holm(p_value)
        gained_over = _scores(grid, metric, without, policy, subset[pairs[:, 1]])
        limit = limits(margin, metric, own.baseline, gained_over)
        family = max(np.sum(~np.isnan(p_value)), 1)
        part = shared.assign(
            **_columns(own, metric, limit, p_value, p_holm, confidence=confidence, power=power),
            min_detectable_holm=own.min_detectable(alpha / family, power),
            p_swap=_p_swap(grid, metric, pairs, include, own, permutations, seed),
        )
        parts.append(part)
    frame = pd.concat(parts)
    return frame.sort_index(kind="stable")[COMPARISON_COLUMNS].reset_index(drop=True)


def pool(
    grid: ScoreArrays,
    *,
    baseline: str,
    policy: str,
    confidence: float,
    margin: float | Mapping,
    power: float,
    subset: np.ndarray | None = None,
) -> pd.DataFrame:
    """Compare every precision with the baseline over all cells of a model together.

    Also the baseline's second pass (`noise-floor`), which is the negative control: no difference is
    to be found there. It is a family of its own.

    Args:
        as `compare`.

    Returns:
        One row per model, metric that is a mean, and precision; columns `POOLED_COLUMNS`. A
        cluster's difference is the mean over all cells, those without any answer of the subset left
        out.
    """
    subset = _all_or(subset, grid)
    pairs, shared = pairs_of(grid, baseline, subset, noise=True)
    if not len(pairs):
        return pd.DataFrame(columns=POOLED_COLUMNS)
    include = included(grid, pairs, policy, subset)
    groups = groups_of(shared)
    without = _without_retrieval(grid, pairs)
    first = np.unique(groups, return_index=True)[1]
    named = shared.iloc[first][["task", "model", "baseline", "precision"]].reset_index(drop=True)
    is_noise = (named["precision"] == NOISE_FLOOR).to_numpy()
    parts = []
    for metric in grid.metrics:
        if not metric.is_mean:
            continue
        cells = effect(grid, metric, pairs, include)
        gained_over = _scores(grid, metric, without, policy, subset[pairs[:, 1]])
        limit = limits(margin, metric, cells.baseline, gained_over)
        own = Effect(pooled(cells, groups), _mean_of(cells.baseline, groups))
        p_value = own.differences.p_value()
        p_holm = np.where(is_noise, holm(np.where(is_noise, p_value, np.nan)), np.nan)
        family = np.minimum(1.0, p_value * max(np.sum(~is_noise), 1))
        p_holm = np.where(is_noise, p_holm, family)
        limit = _mean_of(limit, groups)
        part = named.assign(
            **_columns(own, metric, limit, p_value, p_holm, confidence=confidence, power=power),
            n_cells=np.bincount(groups),
        )
        parts.append(part)
    frame = pd.concat(parts) if parts else pd.DataFrame(columns=POOLED_COLUMNS)
    return frame.sort_index(kind="stable")[POOLED_COLUMNS].reset_index(drop=True)


def _columns(
    own: Effect,
    metric: Metric,
    limit: np.ndarray,
    p_value: np.ndarray,
    p_holm: np.ndarray,
    *,
    confidence: float,
    power: float,
) -> dict[str, object]:
    """What cells and pooled comparisons have in common."""
    alpha = 1 - confidence
    difference, differences = own.value, own.differences
    low, high = own.interval(confidence)
    p_equivalence = own.p_equivalence(limit)
    equivalent = p_equivalence < alpha
    is_better = (difference > 0) == metric.higher_is_better
    p_on_scale = p_value if differences.scale is None else differences.on_scale().p_value()
    detected = (p_holm < alpha) & ~(is_better & (p_on_scale >= alpha))
    return {
        "metric": metric.key,
        "difference": difference,
        "ci_low": low,
        "ci_high": high,
        "p_value": p_value,
        "p_holm": p_holm,
        "margin": limit,
        "p_equivalence": p_equivalence,
        "equivalent": equivalent,
        "verdict": verdicts(difference, detected, equivalent, metric.higher_is_better),
        "baseline_value": own.baseline,
        "precision_value": own.baseline + difference,
        "min_detectable": own.min_detectable(alpha, power),
        "margin_needs": own.clusters_needed(limit, alpha, power),
        "n": np.round(differences.counts.sum(axis=1)).astype(np.int64),
        "n_clusters": differences.n_clusters,
        "n_differing": differences.n_differing,
    }


def verdicts(
    difference: np.ndarray, detected: np.ndarray, equivalent: np.ndarray, higher_is_better: bool
) -> np.ndarray:
    """`equivalent`, `worse`, `better` or `inconclusive` for each comparison.

    A difference that is shown to be smaller than the margin is `equivalent`, even where it is also
    shown not to be zero.
    """
    is_worse = (difference > 0) != higher_is_better
    return np.select(
        [equivalent, detected & is_worse, detected],
        ["equivalent", "worse", "better"],
        default="inconclusive",
    )


def _all_or(subset: np.ndarray | None, grid: ScoreArrays) -> np.ndarray:
    return np.ones(grid.valid.shape, dtype=bool) if subset is None else subset


def included(grid: ScoreArrays, pairs: np.ndarray, policy: str, subset: np.ndarray) -> np.ndarray:
    """Which queries count in each pair, bool (pairs, queries)."""
    own, reference = pairs.T
    include = subset[reference] & grid.counting(own, reference)
    if policy == "exclude":
        include &= grid.valid[own] & grid.valid[reference]
    return include


def groups_of(shared: pd.DataFrame) -> np.ndarray:
    """The group, model and precision, of each comparison: a number from 0 without gaps."""
    return shared.groupby(["model", "precision"], sort=False).ngroup().to_numpy()


def _mean_of(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Means by group, without NaN."""
    return pd.Series(values).groupby(groups).mean().to_numpy()


def _without_retrieval(grid: ScoreArrays, pairs: np.ndarray) -> np.ndarray:
    """The row of each pair's baseline without retrieval; -1 where it is unknown, and at k = 0."""
    rows = grid.rows()
    return np.array(
        [
            -1 if retriever == NO_RETRIEVER else rows.get((model, name, NO_RETRIEVER, "0"), -1)
            for model, name, retriever, _ in grid.cells.iloc[pairs[:, 1]].itertuples(index=False)
        ]
    )


def _scores(
    grid: ScoreArrays, metric: Metric, rows: np.ndarray, policy: str, counted: np.ndarray
) -> np.ndarray:
    """The scores of rows, over the `counted` queries of each; NaN for row -1."""
    result = np.full(len(rows), np.nan)
    known = rows >= 0
    if np.any(known):
        include = counted[known] & grid.counting(rows[known])
        if policy == "exclude":
            include &= grid.valid[rows[known]]
        result[known] = point(scores_estimator(grid, metric, rows[known], include))
    return result


def _p_flips(
    grid: ScoreArrays, pairs: np.ndarray, noise: np.ndarray, subset: np.ndarray
) -> np.ndarray:
    """p-values of "it changes no more answers than the baseline's second pass does", one-sided.

    On the same queries: a query's flip against the baseline minus the second pass's. NaN where the
    noise floor wasn't run.
    """
    result = np.full(len(pairs), np.nan)
    known = np.flatnonzero(noise >= 0)
    if len(known):
        own, second_pass, reference = pairs[known, 0], noise[known], pairs[known, 1]
        answers, before = grid.answers, grid.answers[reference]
        excess = (answers[own] != before).astype(float) - (answers[second_pass] != before)
        counted = subset[reference] & grid.counting(own, second_pass, reference)
        sums, counts = by_cluster(grid, excess * counted), by_cluster(grid, counted)
        result[known] = Differences(sums, counts, np.ones(len(known))).p_at_most(0)
    return result


def _p_swap(
    grid: ScoreArrays,
    metric: Metric,
    pairs: np.ndarray,
    include: np.ndarray,
    own: Effect,
    permutations: int,
    seed: int,
) -> np.ndarray:
    """`swap_pvalues` of all pairs; those in which few clusters differ one by one, hence exactly."""
    rng = generator(seed, "swaps", grid.task.name, metric.key)
    result = np.full(len(pairs), np.nan)
    few = 2.0 ** np.minimum(own.differences.n_differing, 62) <= permutations
    groups = [*np.flatnonzero(few)[:, None], np.flatnonzero(~few)]
    for rows in groups:
        if len(rows):
            estimator = difference_estimator(grid, metric, pairs[rows], include[rows])
            result[rows] = swap_pvalues(estimator, point(estimator), permutations, rng)
    return result


def pairs_of(
    grid: ScoreArrays, baseline: str, subset: np.ndarray, *, noise: bool = False
) -> tuple[np.ndarray, pd.DataFrame]:
    """Rows to compare, (n, 2): precision, baseline; and their names.

    The baseline's second pass is compared only where `noise` says so, a cell only where it has
    answers of the subset (bool, (cells, queries)) that count.
    """
    rows = grid.rows()
    pairs, entries = [], []
    for (model, precision, retriever, k), row in rows.items():
        reference = rows.get((model, baseline, retriever, k))
        if precision == baseline or reference is None or (precision == NOISE_FLOOR and not noise):
            continue
        own = subset[reference] & grid.counting(row, reference)
        if not own.any():
            continue
        pairs.append((row, reference))
        names = (grid.task.name, model, retriever, k, baseline, precision)
        entries.append(dict(zip(_NAMES, names, strict=True)))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2), pd.DataFrame(entries)


def _changed_answers(grid: ScoreArrays, pairs: np.ndarray, subset: np.ndarray) -> pd.DataFrame:
    """What becomes of the answers themselves in each pair, whatever the metric."""
    rows = grid.rows()
    noise = np.array(
        [
            rows.get((model, NOISE_FLOOR, retriever, k), -1)
            for model, _, retriever, k in grid.cells.iloc[pairs[:, 0]].itertuples(index=False)
        ]
    )
    entries = [
        _changed_in_pair(grid, row, reference, second_pass, subset)
        for (row, reference), second_pass in zip(pairs, noise, strict=True)
    ]
    return pd.DataFrame(entries).assign(p_flips=_p_flips(grid, pairs, noise, subset))


def _changed_in_pair(
    grid: ScoreArrays, row: int, reference: int, second_pass: int, subset: np.ndarray
) -> dict[str, float]:
    """The same of one pair; `second_pass` is the row of the baseline's, -1 where there is none."""
    own = subset[reference] & grid.counting(row, reference)
    counted = {"": (row, own)}
    if second_pass >= 0 and (of_noise := own & grid.counting(second_pass)).any():
        counted["noise_"] = (second_pass, of_noise)
    entry = {"kl": np.nan, "n_kl": 0}
    for prefix in ("", "noise_"):
        for name in ("flip_rate", "right_to_wrong", "wrong_to_right"):
            entry[prefix + name] = np.nan
    for prefix, (other, queries) in counted.items():
        entry[f"{prefix}flip_rate"] = np.mean(
            (grid.answers[other] != grid.answers[reference])[queries]
        )
        if CORRECT in grid.scores:
            right = grid.scores.get(RIGHT, grid.scores[CORRECT]) == 1
            was_right, is_right = right[reference], right[other]
            entry[f"{prefix}right_to_wrong"] = np.mean((was_right & ~is_right)[queries])
            entry[f"{prefix}wrong_to_right"] = np.mean((is_right & ~was_right)[queries])
    entry["unparseable_rate"] = 1 - grid.valid[row, own].mean()
    entry["baseline_unparseable_rate"] = 1 - grid.valid[reference, own].mean()
    if grid.logprobs is not None:
        entry["kl"], entry["n_kl"] = mean_kl(grid.logprobs[reference, own], grid.logprobs[row, own])
    return entry


def mean_kl(baseline: np.ndarray, other: np.ndarray) -> tuple[float, int]:
    """Mean Kullback-Leibler divergence KL(baseline || other), in nats, and over how many queries.

    Args:
        baseline, other: log-probabilities of all allowed answers, (queries, answers), normalized
            here over them. Queries where either is unknown are left out; NaN where none remains.
    """
    known = ~(np.isnan(baseline).any(axis=1) | np.isnan(other).any(axis=1))
    if not known.any():
        return np.nan, 0
    return float(np.mean(divergence(baseline[known], other[known]))), int(known.sum())
