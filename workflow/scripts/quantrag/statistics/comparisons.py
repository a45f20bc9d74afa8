"""comparisons.csv: each precision against the baseline, on the same prompts."""

import numpy as np
import pandas as pd

from quantrag.names import NOISE_FLOOR
from quantrag.scoring.metrics import CORRECT
from quantrag.statistics.bootstrap import bca_interval, bootstrap, generator, influences, jackknife
from quantrag.statistics.estimators import difference_estimator, point, scores_estimator
from quantrag.statistics.grid import TaskGrid
from quantrag.statistics.paired import (
    cautious_error,
    holm,
    min_detectable,
    sign_flip_pvalues,
    standard_error,
    tost,
)

COMPARISON_COLUMNS = [
    *["task", "model", "retriever", "k", "metric", "baseline", "precision", "difference"],
    *["ci_low", "ci_high", "p_value", "p_holm", "margin", "equivalent", "flip_rate"],
    *["noise_flip_rate", "verdict", "baseline_value", "precision_value", "p_equivalence"],
    *["min_detectable", "min_detectable_holm", "right_to_wrong", "wrong_to_right", "kl"],
    *["unparseable_rate", "baseline_unparseable_rate", "n", "n_users"],
    *["noise_right_to_wrong", "noise_wrong_to_right"],
]


def compare(
    grid: TaskGrid,
    *,
    baseline: str,
    policy: str,
    confidence: float,
    margin: float,
    power: float,
    draws: int,
    permutations: int,
    seed: int,
) -> pd.DataFrame:
    """Compare every precision with the baseline in every cell of one task.

    Args:
        grid: the task's scores.
        baseline: name of the precision to compare with.
        policy: `worst_case` (all answers count) or `exclude` (queries with two valid answers).
        confidence: of the intervals; 1 - confidence is the level of the tests.
        margin: largest difference that doesn't matter, as a share of the baseline's score.
        power: of `min_detectable`.
        draws: bootstrap resamples.
        permutations: of the paired test.
        seed: of the experiment.

    Returns:
        One row per model, retriever, k, metric and precision; columns `COMPARISON_COLUMNS`. The
        difference is precision minus baseline, in the metric's own unit and direction.
    """
    alpha = 1 - confidence
    pairs, shared = _pairs(grid, baseline)
    if not len(pairs):
        return pd.DataFrame(columns=COMPARISON_COLUMNS)
    include = grid.valid[pairs[:, 0]] & grid.valid[pairs[:, 1]] if policy == "exclude" else None
    counted = np.full(len(pairs), len(grid.users)) if include is None else include.sum(axis=1)
    estimators = [difference_estimator(grid, m, pairs, include) for m in grid.metrics]
    distributions = bootstrap(estimators, draws, generator(seed, "comparisons", grid.task.name))
    degrees = max(grid.n_users - 1, 1)
    parts = []
    for metric, estimator, distribution in zip(
        grid.metrics, estimators, distributions, strict=True
    ):
        difference = point(estimator)
        influence = influences(jackknife(estimator))
        low, high = bca_interval(distribution, difference, influence, confidence)
        reference = scores_estimator(grid, metric, pairs[:, 1], include)
        baseline_value = point(reference)
        error = cautious_error(standard_error(influence), influences(jackknife(reference)))
        p_value = sign_flip_pvalues(
            estimator,
            difference,
            permutations,
            generator(seed, "swaps", grid.task.name, metric.key),
        )
        p_holm = holm(p_value)
        limit = margin * np.abs(baseline_value)
        p_equivalence = tost(difference, error, degrees, limit)
        equivalent = p_equivalence < alpha
        family = max(np.sum(~np.isnan(p_value)), 1)
        part = shared.assign(
            metric=metric.key,
            difference=difference,
            ci_low=low,
            ci_high=high,
            p_value=p_value,
            p_holm=p_holm,
            margin=limit,
            equivalent=equivalent,
            verdict=verdicts(difference, p_holm < alpha, equivalent, metric.higher_is_better),
            baseline_value=baseline_value,
            precision_value=baseline_value + difference,
            p_equivalence=p_equivalence,
            min_detectable=min_detectable(error, degrees, alpha, power),
            min_detectable_holm=min_detectable(error, degrees, alpha / family, power),
            n=counted,
            n_users=grid.n_users,
        )
        parts.append(part)
    frame = pd.concat(parts)
    return frame.sort_index(kind="stable")[COMPARISON_COLUMNS].reset_index(drop=True)


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


def _pairs(grid: TaskGrid, baseline: str) -> tuple[np.ndarray, pd.DataFrame]:
    """Rows to compare, (n, 2): precision, baseline; and what doesn't depend on the metric."""
    rows = grid.rows()
    pairs, entries = [], []
    for (model, precision, retriever, k), row in rows.items():
        reference = rows.get((model, baseline, retriever, k))
        if precision in (baseline, NOISE_FLOOR) or reference is None:
            continue
        noise = rows.get((model, NOISE_FLOOR, retriever, k))
        flips = grid.answers[row] != grid.answers[reference]
        entry = {
            "task": grid.task.name,
            "model": model,
            "retriever": retriever,
            "k": k,
            "baseline": baseline,
            "precision": precision,
            "flip_rate": flips.mean(),
            "noise_flip_rate": np.nan
            if noise is None
            else np.mean(grid.answers[noise] != grid.answers[reference]),
            "right_to_wrong": np.nan,
            "wrong_to_right": np.nan,
            "noise_right_to_wrong": np.nan,
            "noise_wrong_to_right": np.nan,
            "kl": np.nan,
            "unparseable_rate": 1 - grid.valid[row].mean(),
            "baseline_unparseable_rate": 1 - grid.valid[reference].mean(),
        }
        if CORRECT in grid.scores:
            right = grid.scores[CORRECT] == 1
            for prefix, other in (("", row), ("noise_", noise)):
                if other is not None:
                    entry[f"{prefix}right_to_wrong"] = np.mean(right[reference] & ~right[other])
                    entry[f"{prefix}wrong_to_right"] = np.mean(right[other] & ~right[reference])
        if grid.logprobs is not None:
            entry["kl"] = mean_kl(grid.logprobs[reference], grid.logprobs[row])
        pairs.append((row, reference))
        entries.append(entry)
    return np.array(pairs, dtype=np.int64).reshape(-1, 2), pd.DataFrame(entries)


def mean_kl(baseline: np.ndarray, other: np.ndarray) -> float:
    """Mean Kullback-Leibler divergence KL(baseline || other) over the queries, in nats.

    Args:
        baseline, other: log-probabilities of the ratings, (queries, 5), normalized here over the
            ratings. Queries where either is unknown are left out; NaN where none remains.
    """
    known = ~(np.isnan(baseline).any(axis=1) | np.isnan(other).any(axis=1))
    if not known.any():
        return np.nan
    p, q = _log_normalized(baseline[known]), _log_normalized(other[known])
    return float(np.mean(np.sum(np.exp(p) * (p - q), axis=1)))


def _log_normalized(logprobs: np.ndarray) -> np.ndarray:
    return logprobs - np.logaddexp.reduce(logprobs, axis=1, keepdims=True)
