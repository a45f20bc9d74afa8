"""Intervals against scipy, and their coverage on data with a known truth."""

import numpy as np
import pytest
from scipy import stats

from quantrag.statistics.bootstrap import (
    _weights,
    bca_interval,
    bootstrap,
    generator,
    influences,
    jackknife,
)
from quantrag.statistics.estimators import Estimator, point


def means(values):
    """Mean of each column of values, (users, cells), as sums and counts."""
    n_cells = values.shape[1]
    return Estimator(
        np.concatenate([values, np.ones_like(values)], axis=1),
        lambda sums: sums[:, :n_cells] / sums[:, n_cells:],
    )


def roots(errors):
    """Root mean square of each column."""
    squares = means(errors**2)
    return Estimator(squares.sums, lambda sums: np.sqrt(squares.evaluate(sums)))


def interval(estimator, confidence=0.95, draws=2000, seed=0):
    (distribution,) = bootstrap([estimator], draws, generator(seed))
    influence = influences(jackknife(estimator))
    return bca_interval(distribution, point(estimator), influence, confidence)


def test_weights_are_resamples_with_replacement():
    weights = _weights(40, 300, np.random.default_rng(0))
    assert weights.shape == (300, 40)
    assert (weights.sum(axis=1) == 40).all()
    assert weights.mean() == 1
    assert weights.var() == pytest.approx(1 - 1 / 40, rel=0.05)


def test_draws_are_the_same_for_the_same_seed_and_names_only():
    estimator = means(np.random.default_rng(1).normal(size=(30, 2)))
    first, again, other = (
        bootstrap([estimator], 600, generator(5, name))[0] for name in ("a", "a", "b")
    )
    assert first.tobytes() == again.tobytes()
    assert not np.array_equal(first, other)


def test_estimators_share_resamples():
    estimator = means(np.random.default_rng(1).normal(size=(30, 2)))
    first, second = bootstrap([estimator, estimator], 600, generator(0))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("make", [means, roots])
@pytest.mark.parametrize("n", [12, 400])
def test_bca_equals_scipy_on_the_same_draws(make, n):
    values = np.random.default_rng(n).exponential(size=(n, 1))
    estimator = make(values)
    (distribution,) = bootstrap([estimator], 4000, generator(0))
    low, high = bca_interval(distribution, point(estimator), influences(jackknife(estimator)), 0.95)

    def statistic(sample, axis):
        return np.sqrt(np.mean(sample**2, axis)) if make is roots else np.mean(sample, axis)

    # scipy adds no draw to the ones it is given.
    earlier = stats.bootstrap((values[:, 0],), statistic, n_resamples=2, method="percentile")
    earlier.bootstrap_distribution = distribution[:, 0]
    reference = stats.bootstrap(
        (values[:, 0],), statistic, n_resamples=0, bootstrap_result=earlier, method="BCa"
    ).confidence_interval
    assert (low[0], high[0]) == pytest.approx(tuple(reference), rel=1e-9)


def test_own_draws_agree_with_scipys():
    values = np.random.default_rng(3).exponential(size=(500, 1))
    reference = stats.bootstrap(
        (values[:, 0],), np.mean, n_resamples=9999, rng=np.random.default_rng(0)
    )
    low, high = interval(means(values), draws=10_000)
    ends = tuple(reference.confidence_interval)
    assert (low[0], high[0]) == pytest.approx(ends, abs=0.05 * (ends[1] - ends[0]))


def test_influences_of_a_mean_are_deviations():
    values = np.random.default_rng(4).normal(size=(25, 3))
    expected = values - values.mean(axis=0)
    assert np.allclose(influences(jackknife(means(values))), expected)


def test_no_variation_gives_a_point():
    low, high = interval(means(np.full((20, 1), 0.25)))
    assert low[0] == high[0] == 0.25


def test_draws_without_a_valid_answer_are_left_out():
    values, counts = np.zeros((6, 1)), np.zeros((6, 1))
    values[0], counts[0] = 2.0, 1.0  # one valid answer: a third of the resamples miss it
    estimator = Estimator(np.concatenate([values, counts], axis=1), lambda s: s[:, :1] / s[:, 1:])
    with np.errstate(invalid="ignore"):
        low, high = interval(estimator)
    assert low[0] == high[0] == 2.0


@pytest.mark.parametrize("make", [means, roots], ids=["mean", "root mean square"])
def test_intervals_cover_the_truth(make):
    """1,000 replications, one in each column: 95 % intervals hold the truth 93 to 97 % of the time.

    Users hold one to four queries that share a level, so resampling queries would cover too little.
    """
    rng = np.random.default_rng(11)
    n_clusters, replications = 150, 1000
    sizes = rng.integers(1, 5, n_clusters)
    level = rng.normal(size=(n_clusters, replications))
    total, count = np.zeros((2, n_clusters, replications))
    for query in range(4):
        has = (query < sizes)[:, None]
        value = level + rng.normal(size=level.shape)
        value = value**2 if make is roots else value
        total += has * value
        count += has
    root = (lambda mean: np.sqrt(mean)) if make is roots else (lambda mean: mean)
    estimator = Estimator(
        np.concatenate([total, count], axis=1),
        lambda sums: root(np.divide(*np.split(sums, 2, axis=1))),
    )
    low, high = interval(estimator, draws=2000)
    truth = np.sqrt(2.0) if make is roots else 0.0
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97
