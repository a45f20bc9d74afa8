"""Is there any difference at all, to anybody? And how several tests are taken together."""

import numpy as np

from quantrag.statistics.estimators import Estimator

# Sign vectors per block of the permutation test.
BLOCK = 1000


def swap_pvalues(
    estimator: Estimator, observed: np.ndarray, permutations: int, rng: np.random.Generator
) -> np.ndarray:
    """Two-sided p-values of "it makes no difference to any cluster", by swapping inside clusters.

    If precision made no difference, a cluster's answers could as well carry each other's labels.
    Each permutation swaps them for a random half of the clusters and computes the metrics and their
    difference anew [Pitman 1937]. Where all ways to swap the clusters that differ are no more than
    `permutations`, each is tried once and p is exact; else p = (1 + permutations at least as
    extreme) / (1 + permutations), never 0 [Phipson & Smyth 2010].

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
    # Users and columns in which nothing differs (the counts, mostly) need no product.
    moving, columns = np.any(half != 0, axis=1), np.flatnonzero(np.any(half != 0, axis=0))
    moved = half[moving][:, columns]
    exact = 2 ** min(len(moved), 62) <= permutations
    total = 2 ** len(moved) if exact else permutations
    # Sums in another order differ in the last bits, which must not break ties.
    threshold = np.abs(observed) * (1 - 1e-9) - 1e-12
    extreme = np.zeros(len(observed))
    for start in range(0, total, BLOCK):
        size = min(BLOCK, total - start)
        signs = (
            _all_signs(start, size, len(moved)) if exact else _random_signs(size, len(moved), rng)
        )
        swing = np.zeros((size, half.shape[1]))
        swing[:, columns] = signs @ moved
        with np.errstate(invalid="ignore"):
            difference = estimator.evaluate(
                np.concatenate([centre + swing, centre - swing], axis=1)
            )
        extreme += np.sum(np.abs(difference) >= threshold, axis=0)
    p_value = extreme / total if exact else (1 + extreme) / (1 + total)
    return np.where(np.isnan(observed), np.nan, p_value)


def _all_signs(start: int, rows: int, columns: int) -> np.ndarray:
    """Rows `start` and following of all vectors of -1 and 1, float64 (rows, columns)."""
    codes = np.arange(start, start + rows)[:, None]
    return (codes >> np.arange(columns) & 1) * 2.0 - 1.0


def _random_signs(rows: int, columns: int, rng: np.random.Generator) -> np.ndarray:
    """Random -1 and 1, float64 (rows, columns)."""
    bits = np.unpackbits(
        rng.integers(256, size=(rows, -(-columns // 8)), dtype=np.uint8), axis=1, count=columns
    )
    return bits * 2.0 - 1.0


def holm(p_values: np.ndarray) -> np.ndarray:
    """Holm's step-down adjusted p-values of one family; NaN stays out of the family."""
    # (statsmodels' multipletests gives the same, but collects garbage for 0.2 s at each call.)
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known])]
    steps = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def gatekept(p_values: np.ndarray, groups: np.ndarray, of_groups: np.ndarray) -> np.ndarray:
    """Adjusted p-values of comparisons that are tested only where their group's pooled test finds.

    Each of G groups has alpha / G for its pooled test and, once that is rejected, for its own
    comparisons by Holm's method; so the chance of even one false rejection among pooled and single
    tests together is at most alpha.

    Args:
        p_values: of the comparisons, (n,).
        groups: int (n,), the group of each.
        of_groups: adjusted p-values of the groups' pooled tests, (groups,).
    """
    adjusted = np.full(len(p_values), np.nan)
    for group, gate in enumerate(of_groups):
        own = groups == group
        adjusted[own] = np.maximum(np.minimum(holm(p_values[own]) * len(of_groups), 1.0), gate)
    return adjusted
