"""Claims held to a known truth, in the scenarios of `benchmarks/simulations.py`.

Few replications; `-m slow` runs the whole ranges. Bounds are the claim and two and a half standard
errors of the simulation.
"""

import numpy as np
import pytest

from benchmarks.simulations import (
    AT_THE_MARGIN,
    EQUAL,
    INTERVALS,
    LIKELIHOODS,
    RARE_LOSSES,
    SKEWED_NULL,
    SYMMETRIC_NULL,
    covered,
    equivalent,
    equivalent_by_t,
    family_wise_error,
    likelihood_rates,
)


def at_most(rate, replications):
    return rate + 2.5 * np.sqrt(rate * (1 - rate) / replications)


def check_false_equivalence(scenario, n, replications):
    drawn = scenario.draw(np.random.default_rng(n), replications, n)
    rate = np.mean(equivalent(drawn, scenario, abs(scenario.mean)))
    assert rate <= at_most(0.05, replications), f"{rate:.3f}"


@pytest.mark.parametrize("scenario", AT_THE_MARGIN, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("n", [20, 85, 100, 300, 1000])
def test_false_equivalence_is_rare(scenario, n):
    check_false_equivalence(scenario, n, 1500)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", AT_THE_MARGIN, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("n", [20, 50, 85, 100, 150, 200, 300, 500, 1000, 1500, 2500])
def test_false_equivalence_is_rare_at_every_size(scenario, n):
    check_false_equivalence(scenario, n, 8000)


def check_coverage(scenario, n, replications):
    drawn = scenario.draw(np.random.default_rng(n + 1), replications, n)
    rate = np.mean(covered(drawn, scenario))
    assert rate >= 0.93, f"{rate:.3f}"


@pytest.mark.parametrize("scenario", INTERVALS, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("n", [30, 100, 1000])
def test_intervals_cover(scenario, n):
    check_coverage(scenario, n, 1000)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", INTERVALS, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("n", [20, 30, 100, 300, 500, 1000, 2500])
def test_intervals_cover_at_every_size(scenario, n):
    check_coverage(scenario, n, 4000)


@pytest.mark.parametrize("scenario", [SKEWED_NULL, SYMMETRIC_NULL], ids=["skewed", "symmetric"])
@pytest.mark.parametrize(("n", "families"), [(30, 200), (100, 200), (500, 200)])
def test_a_family_without_a_difference_on_average_finds_none(scenario, n, families):
    rate = family_wise_error(scenario, np.random.default_rng(n), families, 24, n)
    assert rate <= at_most(0.05, families)


@pytest.mark.slow
@pytest.mark.parametrize("n", [100, 500, 1000, 2500])
def test_the_family_wise_error_of_skewed_differences(n):
    rate = family_wise_error(SKEWED_NULL, np.random.default_rng(n), 1000, 24, n)
    assert rate <= at_most(0.05, 1000)


@pytest.mark.parametrize(
    ("scenario", "margin"), EQUAL, ids=[f"{s.name}, scale {s.bound:g}" for s, _ in EQUAL]
)
def test_power_for_equivalence_is_kept_where_the_t_test_is_valid(scenario, margin):
    drawn = scenario.draw(np.random.default_rng(2), 1000, 2500)
    power = [np.mean(m(drawn, scenario, margin)) for m in (equivalent_by_t, equivalent)]
    assert power[1] >= power[0] - 0.05


@pytest.mark.parametrize("scenario", LIKELIHOODS, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("n", [16, 100, 300])
def test_likelihoods_without_a_bound_keep_coverage_and_equivalence(scenario, n):
    _, coverage, false_equivalence = likelihood_rates(scenario, n, 400)
    assert coverage >= 0.92
    assert false_equivalence <= at_most(0.05, 400)


@pytest.mark.parametrize("scenario", RARE_LOSSES, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("n", [8, 16, 50, 100, 300, 1000])
def test_rare_losses_of_likelihoods_make_no_false_equivalence(scenario, n):
    _, _, false_equivalence = likelihood_rates(scenario, n, 400)
    assert false_equivalence <= at_most(0.05, 400)
