"""The bounded mean against the exact methods that it is to agree with."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtr
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.weightstats import ttost_paired

from quantrag.statistics.bounded import MANY, Differences, tail_root


def differences(*rows, bound=1.0, counts=None):
    sums = np.array(rows, dtype=np.float64)
    counts = np.ones_like(sums) if counts is None else np.broadcast_to(counts, sums.shape)
    return Differences(sums, np.asarray(counts, dtype=np.float64), np.full(len(sums), bound))


def changed(n, losses, gains=0):
    return np.repeat([-1.0, 1.0, 0.0], [losses, gains, n - losses - gains])


@pytest.mark.parametrize("n", [2, 5, 20, 100, 2500])
def test_without_any_change_it_is_the_rule_of_three(n):
    sample = differences(np.zeros(n), bound=4)
    low, high = sample.interval(0.95)
    assert high[0] == -low[0] == pytest.approx(4 * (1 - 0.025 ** (1 / n)), rel=0.02)
    assert sample.p_value() == 1
    assert sample.p_at_least(1.0)[0] >= 0.75**n
    assert sample.p_at_least(1.0)[0] == pytest.approx(0.75**n, rel=0.2)


@pytest.mark.parametrize(("n", "losses"), [(20, 3), (100, 1), (100, 12), (2500, 7), (2500, 49)])
def test_one_sided_changes_give_clopper_and_pearsons_interval(n, losses):
    expected = stats.binomtest(losses, n).proportion_ci(0.95)
    low, high = differences(changed(n, losses)).interval(0.95)
    assert -low[0] == pytest.approx(expected.high, rel=0.01)
    # The other end also allows for gains that weren't seen.
    unseen = 1 - 0.025 ** (1 / n) - losses / n
    assert high[0] >= max(-expected.low, unseen) * (1 - 1e-9)


@given(st.integers(0, 20), st.integers(0, 20))
@settings(deadline=None)
def test_no_difference_of_labels_is_mcnemars_exact_test(losses, gains):
    table = [[100, losses], [gains, 2000]]
    p_value = differences(changed(2100 + losses + gains, losses, gains)).p_value()[0]
    assert p_value == pytest.approx(mcnemar(table, exact=True).pvalue, rel=0.05, abs=2e-4)


def test_many_symmetric_differences_give_the_t_interval_and_tost():
    values = np.random.default_rng(0).normal(0.01, 0.1, 3000)
    sample = differences(values)
    low, high = sample.interval(0.95)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    reach = expected.high - expected.low
    assert abs(low[0] - expected.low) < 0.01 * reach
    assert abs(high[0] - expected.high) < 0.01 * reach
    assert sample.error[0] == pytest.approx(stats.sem(values), rel=1e-12)
    p_equivalence = sample.p_equivalence(np.array([-0.013]), np.array([0.013]))[0]
    assert p_equivalence == pytest.approx(ttost_paired(values, 0 * values, -0.013, 0.013)[0], 0.1)


def test_the_tail_probability_is_that_of_the_weighted_sum():
    y = np.array([[-0.5, 0.5, 1], [-1, 1, -3], [-0.1, -0.2, 1]])
    weights = np.array([[3.0, 4, 1], [5, 5, 1], [9, 9, 0.5]])
    gammas = np.random.default_rng(0).gamma(weights[:, :, None], size=(3, 3, 200_000))
    simulated = np.mean((gammas * y[:, :, None]).sum(axis=1) >= 0, axis=1)
    assert ndtr(-tail_root(y, weights)) == pytest.approx(simulated, rel=0.04)
    assert tail_root(np.array([[-1.0, -2], [0, 1]]), np.ones((2, 2))).tolist() == [np.inf, -np.inf]


def test_the_tail_is_smooth_through_its_centre():
    middle = np.array([[-1.0, 1, 3]])
    weights = np.array([[8.0, 4, 1]])
    shifts = np.linspace(-0.3, 0.3, 401)
    roots = np.array([tail_root(middle - shift, weights)[0] for shift in shifts])
    steps = np.diff(roots)
    assert np.all(steps > 0)
    assert np.max(steps) < 1.5 * np.median(steps)


VALUES = st.lists(
    st.sampled_from([-4.0, -1.0, -0.25, 0.0, 0.0, 0.0, 1.0, 4.0]), min_size=2, max_size=80
)


@given(VALUES, st.sampled_from([0.8, 0.9, 0.95, 0.99]), st.integers(0, 3))
@settings(deadline=None, max_examples=150)
def test_interval_and_p_value_never_contradict(values, confidence, seed):
    counts = np.random.default_rng(seed).integers(1, 1 + seed + 1, len(values))
    sample = differences(np.array(values) * counts, bound=4.0, counts=counts)
    (low,), (high,) = sample.interval(confidence)
    assert -4 <= low <= sample.mean[0] <= high <= 4
    p_value = sample.p_value()[0]
    outside = low > 1e-9 or high < -1e-9
    assert outside == (p_value < 1 - confidence) or p_value == pytest.approx(1 - confidence)
    alpha = (1 - confidence) / 2
    if high < 4:
        assert sample.p_at_least(high + 1e-9)[0] <= alpha + 1e-6
        assert sample.p_at_least(high - 1e-6)[0] >= alpha - 1e-4
    # Equivalence at alpha is the interval of 1 - 2 alpha inside the margin.
    if max(-low, high) < 4:
        margin = np.array([max(-low, high) + 1e-9])
        assert sample.p_equivalence(-margin, margin)[0] <= alpha + 1e-6
        assert sample.p_equivalence(-margin * 0.99, margin * 0.99)[0] > alpha


@given(VALUES)
@settings(deadline=None)
def test_the_mirror_image_gives_the_mirrored_result(values):
    one, other = differences(values, bound=4.0), differences(-np.array(values), bound=4.0)
    assert one.interval(0.95)[0] == pytest.approx(-other.interval(0.95)[1])
    assert one.p_value() == pytest.approx(other.p_value())


def test_estimates_do_not_depend_on_each_other():
    rng = np.random.default_rng(1)
    rows = [changed(300, 20, 3), changed(300, 0, 1), rng.normal(0, 0.1, 300)]
    together = differences(*rows)
    for i, row in enumerate(rows):
        alone = differences(row)
        assert together.p_value()[i] == pytest.approx(alone.p_value()[0])
        for end in (0, 1):
            assert together.interval(0.95)[end][i] == pytest.approx(alone.interval(0.95)[end][0])


def test_a_single_cluster_has_neither_interval_nor_p_value():
    sample = differences([3.0, 0.0], counts=[[4, 0]])
    assert sample.n_clusters == 1
    assert np.isnan(
        [*sample.interval(0.95), sample.p_value(), sample.min_detectable(0.05, 0.8)]
    ).all()
    nothing = differences([0.0, 0.0], counts=[[0, 0]])
    assert np.isnan([nothing.mean, nothing.p_value(), nothing.interval(0.95)[0]]).all()


def test_clusters_without_a_query_do_not_count():
    values = changed(40, 9, 2)
    without = differences(values)
    padded = differences(np.r_[values, np.zeros(25)], counts=np.r_[np.ones(40), np.zeros(25)])
    assert padded.n_clusters == 40
    for sample in (without, padded):
        assert sample.n_differing == 11
        assert sample.error[0] == pytest.approx(stats.sem(values))
    assert padded.p_value() == pytest.approx(without.p_value())
    assert padded.interval(0.95)[0] == pytest.approx(without.interval(0.95)[0])


def test_a_large_cluster_that_did_not_change_could_have():
    even = differences(np.zeros(100), counts=np.full(100, 4))
    uneven = differences(np.zeros(100), counts=np.r_[np.full(90, 1), np.full(10, 31)])
    assert uneven.interval(0.95)[1] > 3 * even.interval(0.95)[1]


def test_the_smallest_detectable_difference_is_found_as_often_as_it_says():
    rng = np.random.default_rng(2)
    for n, bound in ((60, 1.0), (400, 1.0), (2500, 1.0), (2500, 4.0)):
        flips = changed(n, n // 20, n // 20)
        size = differences(flips, bound=bound).min_detectable(0.05, 0.8)[0]
        share = 0.05 + size / 2, 0.05 - size / 2
        if share[1] < 0:
            share = size, 0.0
        rows = rng.choice([1.0, -1, 0], p=[*share, 1 - sum(share)], size=(400, n))
        found = differences(*rows, bound=bound).p_value() < 0.05
        assert 0.68 <= found.mean() <= 0.92, (n, bound, found.mean())


def test_the_smallest_detectable_difference_is_never_0():
    sizes = differences(np.zeros(16), np.full(16, 0.25), np.ones(16)).min_detectable(0.05, 0.8)
    assert np.all(sizes > 0)
    # Six changes in one direction are significant; 7.9 must be expected to see six.
    assert differences(np.zeros(2500)).min_detectable(0.05, 0.8) == pytest.approx(7.9 / 2500, 0.01)


def test_clusters_that_a_margin_needs():
    rng = np.random.default_rng(3)
    pilot = differences(changed(2000, 50, 50))
    n = int(pilot.clusters_needed(np.array([0.02]), 0.05, 0.8)[0])
    rows = rng.choice([1.0, -1, 0], p=[0.025, 0.025, 0.95], size=(1000, n))
    margin = np.full(1000, 0.02)
    power = np.mean(differences(*rows).p_equivalence(-margin, margin) < 0.05)
    assert 0.72 <= power <= 0.82
    # Where nothing changes, the rule of three asks for 3 / margin.
    assert differences(np.zeros(50)).clusters_needed(np.array([0.01]), 0.05, 0.8) == 299
    assert np.isnan(pilot.clusters_needed(np.array([0.0]), 0.05, 0.8))


def test_the_weight_of_the_imaginary_cluster_changes_little_at_the_threshold():
    ends = [
        differences(changed(1000, k // 2, k - k // 2)).interval(0.95)[1][0]
        for k in (MANY - 2, MANY)
    ]
    assert ends[1] == pytest.approx(ends[0], rel=0.06)
