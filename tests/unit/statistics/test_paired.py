"""Paired tests against scipy and statsmodels, and their error rates on data with a known truth."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

from quantrag.statistics.bootstrap import generator, influences, jackknife
from quantrag.statistics.estimators import Estimator, point
from quantrag.statistics.paired import (
    cautious_error,
    holm,
    min_detectable,
    sign_flip_pvalues,
    standard_error,
    tost,
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


def error_of(estimator):
    return standard_error(influences(jackknife(estimator)))


def test_standard_error_is_the_paired_t_tests(pair):
    estimator = difference(*pair)
    statistic = point(estimator) / error_of(estimator)
    assert statistic == pytest.approx(stats.ttest_rel(*pair).statistic, rel=1e-9)


def test_tost_equals_statsmodels(pair):
    estimator = difference(*pair)
    expected = ttost_paired(pair[0][:, 0], pair[1][:, 0], -0.3, 0.3)[0]
    p_value = tost(point(estimator), error_of(estimator), 59, np.array([0.3]))
    assert p_value[0] == pytest.approx(expected, rel=1e-9)


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
    p_value = sign_flip_pvalues(estimator, point(estimator), 20_000, generator(0))
    assert p_value[0] == pytest.approx(reference.pvalue, abs=0.012)


def test_sign_flips_agree_with_the_t_test_on_many_users():
    rng = np.random.default_rng(5)
    first = rng.normal(size=(500, 20))
    second = first + rng.normal(0.05, 1, size=first.shape)
    estimator = difference(first, second)
    p_values = sign_flip_pvalues(estimator, point(estimator), 20_000, generator(0))
    assert np.allclose(p_values, stats.ttest_rel(first, second).pvalue, atol=0.015)


def test_no_difference_has_p_1():
    values = np.random.default_rng(0).normal(size=(30, 1))
    estimator = difference(values, values)
    assert sign_flip_pvalues(estimator, point(estimator), 500, generator(0)) == 1


def test_p_values_are_never_0():
    values = np.random.default_rng(0).normal(size=(50, 1))
    estimator = difference(values + 10, values)
    assert sign_flip_pvalues(estimator, point(estimator), 999, generator(0)) == 0.001


def test_power_is_what_was_asked_for():
    n, deviation = 400, 0.7
    detectable = min_detectable(np.array([deviation / np.sqrt(n)]), n - 1, 0.05, 0.8)[0]
    power = TTestPower().power(detectable / deviation, n, 0.05, alternative="two-sided")
    assert power == pytest.approx(0.8, abs=0.002)


def test_holm_by_hand_and_around_unknown_values():
    assert holm(np.array([0.01, np.nan, 0.04, 0.03])).tolist() == pytest.approx(
        [0.03, np.nan, 0.06, 0.06], nan_ok=True
    )
    assert np.isnan(holm(np.array([np.nan]))).all()


def test_holm_equals_statsmodels():
    p_values = np.random.default_rng(0).random(40).round(2) ** 3
    assert np.allclose(holm(p_values), multipletests(p_values, method="holm")[1], rtol=1e-12)


def test_few_users_without_a_difference_are_not_equivalent():
    answers = np.random.default_rng(0).integers(0, 2, size=(5000, 1)).astype(float)
    for n, is_equivalent in ((16, False), (5000, True)):
        estimator = difference(answers[:n], answers[:n])
        baseline = Estimator(answers[:n], lambda sums, n=n: sums / n)
        influence = answers[:n] - answers[:n].mean()
        error = cautious_error(error_of(estimator), influence)
        margin = 0.02 * point(baseline)
        assert (tost(point(estimator), error, n - 1, margin)[0] < 0.05) == is_equivalent


def test_false_equivalence_is_rare_at_the_margin():
    """The true difference is the margin itself: at most 5 % may be called equivalent."""
    rng = np.random.default_rng(2)
    n, replications, margin = 200, 4000, 0.1
    first = rng.exponential(size=(n, replications))
    noise = rng.normal(0, 0.4, size=first.shape)
    for sign in (-1, 1):
        estimator = difference(first + sign * margin + noise, first)
        error = cautious_error(error_of(estimator), first - first.mean(axis=0))
        p_values = tost(point(estimator), error, n - 1, np.full(replications, margin))
        assert np.mean(p_values < 0.05) <= 0.05


def test_equivalence_is_found_where_it_holds():
    rng = np.random.default_rng(3)
    first = rng.exponential(size=(2500, 500))
    estimator = difference(first + rng.normal(0, 0.2, size=first.shape), first)
    error = cautious_error(error_of(estimator), first - first.mean(axis=0))
    p_values = tost(point(estimator), error, 2499, np.full(500, 0.02))
    assert np.mean(p_values < 0.05) > 0.9


def family_wise_error(families, members, n_users, permutations, seed):
    """Share of families without any true difference in which Holm still finds one."""
    rng = np.random.default_rng(seed)
    found = 0
    for family in range(families):
        # Tied, and without a change for half of the users. (With far fewer changes the test has few
        # possible p-values and is so conservative that this simulation would show nothing.)
        first = rng.integers(0, 5, size=(n_users, members)).astype(float)
        changed = rng.random(first.shape) < 0.5
        second = np.where(changed, rng.integers(0, 5, size=first.shape), first)
        estimator = difference(first, second)
        p_values = sign_flip_pvalues(
            estimator, point(estimator), permutations, generator(seed, str(family))
        )
        found += np.any(holm(p_values) < 0.05)
    return found / families


def test_holm_holds_the_family_wise_error():
    # 5 % of 400 families, and two standard errors of simulation.
    assert 0.01 <= family_wise_error(400, 12, 100, 1000, seed=1) <= 0.05 + 2 * 0.011


@pytest.mark.slow
def test_holm_holds_the_family_wise_error_of_the_papers_grid():
    rate = family_wise_error(1000, 96, 300, 4000, seed=2)
    assert rate <= 0.05 + 2 * 0.007
