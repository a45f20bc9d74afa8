"""Swaps inside users against scipy; Holm's method and gatekeeping."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from quantrag.statistics.bootstrap import generator
from quantrag.statistics.estimators import Estimator, point
from quantrag.statistics.paired import (
    gatekept,
    holm,
    swap_pvalues,
)


def difference(first, second):
    """Difference of column means, (users, cells) each."""
    ones = np.ones_like(first)

    def evaluate(sums):
        parts = np.split(sums, 4, axis=1)
        return parts[0] / parts[1] - parts[2] / parts[3]

    return Estimator(np.concatenate([first, ones, second, ones], axis=1), evaluate)


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    first = rng.normal(size=(60, 1))
    return first, first + rng.normal(0.1, 0.5, size=(60, 1))


@pytest.mark.parametrize("n", [8, 60])
def test_sign_flips_equal_scipys_permutation_test(n):
    rng = np.random.default_rng(n)
    first, second = rng.integers(0, 5, size=(2, n, 1)).astype(float)
    estimator = difference(first, second)
    reference = stats.permutation_test(
        (first[:, 0], second[:, 0]),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        n_resamples=20_000,
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    p_value = swap_pvalues(estimator, point(estimator), 20_000, generator(0))
    assert p_value[0] == pytest.approx(reference.pvalue, abs=0.012)


def test_sign_flips_agree_with_the_t_test_on_many_users():
    rng = np.random.default_rng(5)
    first = rng.normal(size=(500, 20))
    second = first + rng.normal(0.05, 1, size=first.shape)
    estimator = difference(first, second)
    p_values = swap_pvalues(estimator, point(estimator), 20_000, generator(0))
    assert np.allclose(p_values, stats.ttest_rel(first, second).pvalue, atol=0.015)


def test_all_swaps_are_tried_where_they_are_few():
    """Six users of 40 differ, all one way: 2 of the 64 ways to swap them are as extreme."""
    first = np.random.default_rng(0).integers(0, 5, size=(40, 1)).astype(float)
    second = first.copy()
    second[:6] += 1
    estimator = difference(first, second)
    for permutations, exact in ((64, True), (100_000, True), (63, False)):
        p_value = swap_pvalues(estimator, point(estimator), permutations, generator(0))[0]
        assert (p_value == 2 / 64) == exact


def test_no_difference_has_p_1():
    values = np.random.default_rng(0).normal(size=(30, 1))
    estimator = difference(values, values)
    assert swap_pvalues(estimator, point(estimator), 500, generator(0)) == 1


def test_p_values_are_never_0():
    values = np.random.default_rng(0).normal(size=(50, 1))
    estimator = difference(values + 10, values)
    assert swap_pvalues(estimator, point(estimator), 999, generator(0)) == 0.001


def test_holm_by_hand_and_around_unknown_values():
    assert holm(np.array([0.01, np.nan, 0.04, 0.03])).tolist() == pytest.approx(
        [0.03, np.nan, 0.06, 0.06], nan_ok=True
    )
    assert np.isnan(holm(np.array([np.nan]))).all()


def test_holm_equals_statsmodels():
    p_values = np.random.default_rng(0).random(40).round(2) ** 3
    assert np.allclose(holm(p_values), multipletests(p_values, method="holm")[1], rtol=1e-12)


def test_gatekeeping_by_hand():
    p_values, groups = np.array([0.001, 0.01, 0.2, 0.001]), np.array([0, 0, 0, 1])
    adjusted = gatekept(p_values, groups, np.array([0.004, 0.3]))
    # Two groups: half of alpha each. The second group's pooled test finds nothing.
    assert adjusted.tolist() == pytest.approx([0.006, 0.04, 0.4, 0.3])
    alone = gatekept(np.array([0.01, np.nan]), np.array([0, 1]), np.array([0.02, np.nan]))
    assert alone.tolist() == pytest.approx([0.02, np.nan], nan_ok=True)


def test_gatekeeping_holds_the_family_wise_error():
    """Cells of a model are correlated; half of the models have a true difference in one cell."""
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(6), 8)
    false = 0
    for _ in range(2000):
        z = 0.3 * rng.normal(size=6)[groups] + np.sqrt(0.91) * rng.normal(size=48)
        true = np.zeros(48, dtype=bool)
        true[:24:8] = True
        z[true] += 12
        pooled = np.array([z[groups == g].sum() for g in range(6)]) / np.sqrt(8 + 56 * 0.09)
        gates = np.minimum(1, 6 * 2 * stats.norm.sf(np.abs(pooled)))
        adjusted = gatekept(2 * stats.norm.sf(np.abs(z)), groups, gates)
        false += np.any(adjusted[~true] < 0.05) or np.any(gates[3:] < 0.05)
    assert 0.01 <= false / 2000 <= 0.05 + 2 * 0.005
