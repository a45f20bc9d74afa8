"""Paired tests, clustered by user: is there a difference, and is it smaller than the margin?"""

import numpy as np
from scipy import stats

from quantrag.statistics.estimators import Estimator

# Sign vectors per block of the permutation test.
BLOCK = 1000


def sign_flip_pvalues(
    estimator: Estimator, observed: np.ndarray, permutations: int, rng: np.random.Generator
) -> np.ndarray:
    """Two-sided p-values of a permutation test that swaps the two precisions inside users.

    If precision made no difference, a user's answers could as well carry each other's labels. Each
    permutation swaps them for a random half of the users and computes the metrics and their
    difference anew. p = (1 + permutations at least as extreme) / (1 + permutations), never 0
    (Phipson & Smyth 2010). For a metric that is a mean this test's statistic is equivalent to a
    studentized one, so it also holds asymptotically for "no difference on average" (Janssen 1997).

    Args:
        estimator: from `difference_estimator`; its sums are those of both sides.
        observed: the difference on the data, (estimates,).
        permutations: how many.
        rng: source of the signs.

    Returns:
        float64 (estimates,); NaN where the difference is NaN.
    """
    first, second = np.split(estimator.sums, 2, axis=1)
    centre, half = (first + second).sum(axis=0) / 2, (first - second) / 2
    # Columns in which no user differs (the counts, mostly) need no product.
    moving = np.flatnonzero(np.any(half != 0, axis=0))
    # Sums in another order differ in the last bits, which must not break ties.
    threshold = np.abs(observed) * (1 - 1e-9) - 1e-12
    extreme = np.zeros(len(observed))
    for start in range(0, permutations, BLOCK):
        size = min(BLOCK, permutations - start)
        swing = np.zeros((size, half.shape[1]))
        swing[:, moving] = _signs(size, len(half), rng) @ half[:, moving]
        with np.errstate(invalid="ignore"):
            difference = estimator.evaluate(
                np.concatenate([centre + swing, centre - swing], axis=1)
            )
        extreme += np.sum(np.abs(difference) >= threshold, axis=0)
    return np.where(np.isnan(observed), np.nan, (1 + extreme) / (1 + permutations))


def _signs(rows: int, columns: int, rng: np.random.Generator) -> np.ndarray:
    """Random -1 and 1, float64 (rows, columns)."""
    bits = np.unpackbits(
        rng.integers(256, size=(rows, -(-columns // 8)), dtype=np.uint8), axis=1, count=columns
    )
    return bits * 2.0 - 1.0


def standard_error(influence: np.ndarray) -> np.ndarray:
    """Jackknife standard error of estimates, (estimates,), from their users' influences.

    For the mean over users with one query each it is the textbook s / sqrt(n).
    """
    n = len(influence)
    return np.sqrt(np.sum(influence**2, axis=0) / (n * max(n - 1, 1)))


def cautious_error(error: np.ndarray, baseline_influence: np.ndarray) -> np.ndarray:
    """A standard error that doesn't vanish because no answer happened to differ.

    Where none of n users shows a difference, the standard error is 0, and any equivalence test
    would be passed, be n as small as 5. So one user more is assumed, whose difference is as large
    as the largest deviation of any user from the baseline's score. At n = 2,500 it hardly matters.

    Args:
        error: standard errors of the differences, (estimates,).
        baseline_influence: users' influences on the baseline's scores, (users, estimates).
    """
    one_more = np.max(np.abs(baseline_influence), axis=0) / len(baseline_influence)
    return np.hypot(error, one_more)


def tost(difference: np.ndarray, error: np.ndarray, degrees: int, margin: np.ndarray) -> np.ndarray:
    """p-value of two one-sided t-tests (Schuirmann 1987) that |difference| < margin.

    It is below alpha exactly where the (1 - 2 alpha) t-interval lies inside the margin.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        above = stats.t.sf((difference + margin) / error, degrees)
        below = stats.t.cdf((difference - margin) / error, degrees)
    return np.maximum(above, below)


def min_detectable(
    error: np.ndarray, degrees: int, alpha: float | np.ndarray, power: float
) -> np.ndarray:
    """Smallest true difference that a two-sided t-test at `alpha` finds with probability `power`.

    (t(1 - alpha/2) + t(power)) standard errors; the usual approximation, which leaves out the
    chance to find the opposite sign.
    """
    return error * (stats.t.ppf(1 - alpha / 2, degrees) + stats.t.ppf(power, degrees))


def holm(p_values: np.ndarray) -> np.ndarray:
    """Holm's step-down adjusted p-values of one family; NaN stays out of the family."""
    # (statsmodels' multipletests gives the same, but collects garbage for 0.2 s at each call.)
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known])]
    steps = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
