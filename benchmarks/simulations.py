"""Simulations with a known truth: how often intervals and verdicts are wrong.

    python benchmarks/simulations.py [--json FILE] [--quick]

Differences of one query per user, most of them 0. "t" is what the tables used before (two one-sided
t-tests with one imaginary user more, BCa intervals), "bounded" what they use now
(`quantrag.statistics.bounded`). For comparison: "betting", the hedged bet of Waudby-Smith & Ramdas
(2024, section 4) at a fixed n, and for labels "score", Tango's (1998) score interval. The scenarios
are the ones in which "t" claims what isn't so; the tests of the project hold "bounded" to them
(`tests/unit/statistics/test_simulations.py`).
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from scipy import stats

from benchmarks.parts import common
from quantrag.scoring.metrics import METRICS
from quantrag.statistics.bounded import Differences
from quantrag.statistics.paired import holm

ALPHA = 0.05
SIZES = (20, 50, 100, 200, 500, 1000, 2500)


@dataclass(frozen=True)
class Scenario:
    """How a query's difference is distributed.

    Attributes:
        name: in the table.
        values: the differences that occur beside 0, and the probability of each.
        bound: largest possible size of a difference.
        spread: largest deviation of a user from the baseline's own score.
    """

    name: str
    values: dict[float, float]
    bound: float = 1.0
    spread: float = field(default=0.5)

    @property
    def mean(self) -> float:
        return sum(value * share for value, share in self.values.items())

    def draw(self, rng: np.random.Generator, replications: int, n: int) -> np.ndarray:
        """Differences, float64 (replications, n)."""
        values = np.array([0.0, *self.values])
        ends = np.cumsum([*self.values.values()])
        # 0 last, so that its share is what the others leave.
        order = np.searchsorted(ends, rng.random((replications, n)), side="right")
        return np.append(values[1:], 0.0)[order]


def unreadable(share_of_margin: float = 1.0, flips: float = 0.0) -> dict[float, float]:
    """Ratings of which some become unreadable, which costs what is farthest from the gold.

    As many as take the mean to the margin of 2% of the baseline's MAE; `flips` more go up or down
    by 1, equally often.
    """
    golds = dict(zip(range(1, 6), (0.03, 0.03, 0.09, 0.19, 0.66), strict=True))
    errors = dict(enumerate((0.6, 0.28, 0.08, 0.03, 0.01)))
    loss: dict[float, float] = {}
    baseline = 0.0
    for gold, gold_share in golds.items():
        worst = max(gold - 1, 5 - gold)
        for error, error_share in errors.items():
            share = gold_share * error_share
            baseline += share * min(error, worst)
            size = float(worst - min(error, worst))
            loss[size] = loss.get(size, 0.0) + share
    rate = share_of_margin * 0.02 * baseline / sum(size * share for size, share in loss.items())
    values = {size: rate * share for size, share in loss.items() if size}
    for size in (1.0, -1.0):
        values[size] = values.get(size, 0.0) + flips / 2
    return values


def labels(accuracy: float, losses: float, gains: float = 0.0) -> Scenario:
    """Right answers that turn wrong, and wrong ones that turn right: 2% of the accuracy apart."""
    name = f"accuracy {accuracy:g}, {100 * losses:g}% right to wrong, {100 * gains:g}% back"
    spread = max(accuracy, 1 - accuracy)
    return Scenario(name, {-1.0: losses, 1.0: gains}, spread=spread)


#: The true difference is exactly the margin: "equivalent" is false.
AT_THE_MARGIN = (
    labels(0.5, 0.01),
    labels(0.5, 0.015, 0.005),
    labels(0.9, 0.018),
    labels(0.9, 0.023, 0.005),
    labels(0.3, 0.006),
    labels(0.7, 0.014),
    Scenario("ratings, 0.37% become unreadable", unreadable(), 4.0, 3.4),
    Scenario("the same, and 5% go up or down by 1", unreadable(flips=0.05), 4.0, 3.4),
)
#: For the coverage of intervals of 95%.
INTERVALS = (
    Scenario("3% change by 1, of which 60% up", {1.0: 0.018, -1.0: 0.012}, 4.0, 3.4),
    Scenario("10% change by 1, of which 60% up", {1.0: 0.06, -1.0: 0.04}, 4.0, 3.4),
    Scenario("labels: 3% change, of which 60% one way", {1.0: 0.018, -1.0: 0.012}),
    Scenario("1% become 4 worse", {4.0: 0.01}, 4.0, 3.4),
    Scenario("0.25% become 4 worse", {4.0: 0.0025}, 4.0, 3.4),
    Scenario("9% better by 1, 3% worse by 3", {-1.0: 0.09, 3.0: 0.03}, 4.0, 3.4),
)


@dataclass(frozen=True)
class Likelihoods:
    """Differences of likelihoods, in nats per token: small ones at every query, without a bound.

    Attributes:
        name: in the table.
        noise: of mean 0, given a generator and the shape.
        mean: added to all.
    """

    name: str
    noise: Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
    mean: float = 0.02

    def draw(self, rng: np.random.Generator, replications: int, n: int) -> np.ndarray:
        return self.noise(rng, (replications, n)) + self.mean


def _skewed(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    losses = (rng.random(shape) < 0.1) * rng.exponential(0.2, shape)
    return rng.normal(0, 0.05, shape) + losses - 0.02


def _rare(rng: np.random.Generator, shape: tuple[int, int], share: float) -> np.ndarray:
    """A loss of 1 in a share of the queries, less its mean, and a little noise."""
    return rng.normal(0, 0.02, shape) + (rng.random(shape) < share) - share


#: The mean is the margin of 2% of perplexity, so that "equivalent" is false.
LIKELIHOODS = (
    Likelihoods("normal, sd 0.1", lambda rng, shape: rng.normal(0, 0.1, shape)),
    Likelihoods("t with 3 degrees, scale 0.05", lambda rng, s: 0.05 * rng.standard_t(3, s)),
    Likelihoods("normal, sd 0.05, and a tenth loses 0.2 more", _skewed),
    Likelihoods(
        "log-normal, scale 0.05", lambda rng, s: 0.05 * (rng.lognormal(0, 1, s) - np.exp(0.5))
    ),
)
#: What a sample doesn't show: here only equivalence can be held to its level.
RARE_LOSSES = (
    Likelihoods("3% lose 1 nat, noise 0.02", lambda rng, shape: _rare(rng, shape, 0.03)),
    Likelihoods("1% loses 2 nats, noise 0.02", lambda rng, shape: 2 * _rare(rng, shape, 0.01)),
    Likelihoods(
        "log-normal, sigma 2",
        lambda rng, s: 0.01 * (rng.lognormal(0, 2, s) - np.exp(2.0)),
    ),
)
SKEWED_NULL, SYMMETRIC_NULL = INTERVALS[-1], Scenario("", {-1.0: 0.05, 1.0: 0.05}, 4.0, 3.4)
#: No difference at all on average; the t-test is valid here.
EQUAL = tuple(
    (Scenario(f"{100 * flips:g}% up or down by {step:g}", values, bound, spread), margin)
    for flips, margin in ((0.02, 0.01), (0.05, 0.012), (0.1, 0.02), (0.2, 0.022))
    for step, bound, spread, values in (
        (1.0, 1.0, 0.5, {1.0: flips / 2, -1.0: flips / 2}),
        (1.0, 4.0, 3.4, {1.0: flips / 2, -1.0: flips / 2}),
    )
)


def bounded(drawn: np.ndarray, scenario: Scenario) -> Differences:
    return Differences(drawn, np.ones_like(drawn), np.full(len(drawn), scenario.bound))


def of_likelihoods(drawn: np.ndarray) -> Differences:
    """As the tables take them: bounded by what was seen, not by the level of a likelihood."""
    counts = np.ones_like(drawn)
    likelihoods = (5 + drawn, np.full_like(drawn, 5))
    bound, scale = METRICS["nll"].largest_differences(*likelihoods, counts > 0)
    return Differences(drawn, counts, bound, scale=scale)


def likelihood_rates(scenario: Likelihoods, n: int, replications: int) -> list[float]:
    """Coverage by t and by the bounded mean, and false equivalence by the bounded mean."""
    drawn = scenario.draw(np.random.default_rng(n), replications, n)
    found = of_likelihoods(drawn)
    low, high = found.interval(0.95)
    reach = stats.t.ppf(0.975, n - 1) * drawn.std(axis=1, ddof=1) / np.sqrt(n)
    margin = np.full(replications, scenario.mean)
    return [
        float(np.mean(np.abs(drawn.mean(axis=1) - scenario.mean) <= reach)),
        float(np.mean((low <= scenario.mean) & (high >= scenario.mean))),
        float(np.mean(found.p_equivalence(-margin, margin) < ALPHA)),
    ]


def equivalent(drawn: np.ndarray, scenario: Scenario, margin: float) -> np.ndarray:
    """Which replications are called equivalent, by the bounded mean."""
    limit = np.full(len(drawn), margin)
    return bounded(drawn, scenario).p_equivalence(-limit, limit) < ALPHA


def equivalent_by_t(drawn: np.ndarray, scenario: Scenario, margin: float) -> np.ndarray:
    """Two one-sided t-tests, with the imaginary user that deviates by `scenario.spread`."""
    n = drawn.shape[1]
    mean = drawn.mean(axis=1)
    error = np.hypot(drawn.std(axis=1, ddof=1) / np.sqrt(n), scenario.spread / n)
    above = stats.t.sf((mean + margin) / error, n - 1)
    return np.maximum(above, stats.t.cdf((mean - margin) / error, n - 1)) < ALPHA


def equivalent_by_betting(drawn: np.ndarray, scenario: Scenario, margin: float) -> np.ndarray:
    """Both one-sided bets against a mean beyond the margin reach 1 / alpha at some query."""
    return np.logical_and(*(_bet(sign * drawn, scenario.bound, margin) for sign in (1.0, -1.0)))


def _bet(drawn: np.ndarray, bound: float, margin: float) -> np.ndarray:
    x, mean = (bound - drawn) / (2 * bound), (bound - margin) / (2 * bound)
    n = x.shape[1]
    seen = np.arange(1, n + 1)
    running = (0.5 + np.cumsum(x, axis=1)) / (seen + 1)
    variance = (0.25 + np.cumsum((x - running) ** 2, axis=1)) / (seen + 1)
    before = np.concatenate([np.full((len(x), 1), 0.25), variance[:, :-1]], axis=1)
    stake = np.minimum(np.sqrt(2 * np.log(1 / ALPHA) / (before * n)), 0.9 / mean)
    return np.cumsum(np.log1p(stake * (x - mean)), axis=1).max(axis=1) >= np.log(1 / ALPHA)


def equivalent_by_score(drawn: np.ndarray, scenario: Scenario, margin: float) -> np.ndarray:
    """Tango's score tests of a difference of paired shares beyond the margin."""
    n = drawn.shape[1]
    gains, losses = np.sum(drawn > 0, axis=1), np.sum(drawn < 0, axis=1)
    statistic = []
    for c, b in ((losses, gains), (gains, losses)):
        # H0: the share of b minus that of c is `margin`; Tango (1998), equation 3.
        linear = -b - c + (2 * n - b + c) * margin
        root = (np.sqrt(linear**2 + 8 * n * c * margin * (1 - margin)) - linear) / (4 * n)
        statistic.append((b - c - n * margin) / np.sqrt(n * (2 * root + margin * (1 - margin))))
    return np.max(statistic, axis=0) < stats.norm.ppf(ALPHA)


def covered(drawn: np.ndarray, scenario: Scenario) -> np.ndarray:
    low, high = bounded(drawn, scenario).interval(0.95)
    return (low <= scenario.mean + 1e-12) & (high >= scenario.mean - 1e-12)


def covered_by_bca(drawn: np.ndarray, scenario: Scenario, rng: np.random.Generator) -> np.ndarray:
    """The BCa intervals of before: resamples of equal values are multinomial counts."""
    from quantrag.statistics.bootstrap import bca_interval

    found = []
    for row in drawn:
        values, counts = np.unique(row, return_counts=True)
        resampled = rng.multinomial(len(row), counts / len(row), size=2000) @ values / len(row)
        ends = bca_interval(
            resampled[:, None], row.mean(keepdims=True), (row - row.mean())[:, None], 0.95
        )
        found.append(ends[0][0] <= scenario.mean + 1e-12 and ends[1][0] >= scenario.mean - 1e-12)
    return np.array(found)


def family_wise_error(
    scenario: Scenario, rng: np.random.Generator, families: int, members: int, n: int
) -> float:
    """Share of families in which Holm's method finds a difference that isn't there."""
    found = 0
    for _ in range(families):
        p_values = bounded(scenario.draw(rng, members, n), scenario).p_value()
        found += np.any(holm(p_values) < ALPHA)
    return found / families


def main() -> None:
    common.run(measure, common.parser_of(__doc__).parse_args())


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    replications = 500 if arguments.quick else 4000
    sizes = (100, 500) if arguments.quick else SIZES
    numbers: dict[str, Any] = {}
    for scenario in AT_THE_MARGIN:
        margin, rows = abs(scenario.mean), []
        for n in sizes:
            drawn = scenario.draw(np.random.default_rng(n), replications, n)
            methods = [equivalent_by_t, equivalent, equivalent_by_betting]
            methods += [equivalent_by_score] if scenario.bound == 1 else []
            rates = [float(np.mean(method(drawn, scenario, margin))) for method in methods]
            rows.append((f"n = {n:,}", "  ".join(f"{100 * rate:5.1f}%" for rate in rates)))
            numbers[f"false equivalence, {scenario.name}, n = {n}"] = rates
        common.show(f"False equivalence (t, bounded, betting, score): {scenario.name}", rows)
    for scenario in INTERVALS:
        rows = []
        for n in sizes[1:]:
            rng = np.random.default_rng(n)
            drawn = scenario.draw(rng, min(replications, 1000), n)
            before = covered_by_bca(drawn[:300], scenario, rng)
            rates = [float(before.mean()), float(covered(drawn, scenario).mean())]
            rows.append((f"n = {n:,}", "  ".join(f"{100 * rate:5.1f}%" for rate in rates)))
            numbers[f"coverage, {scenario.name}, n = {n}"] = rates
        common.show(f"Coverage of 95% intervals (BCa, bounded): {scenario.name}", rows)
    for scenario in (*LIKELIHOODS, *RARE_LOSSES):
        rows = []
        for n in sizes:
            rates = likelihood_rates(scenario, n, min(replications, 1000))
            rows.append((f"n = {n:,}", "  ".join(f"{100 * rate:5.1f}%" for rate in rates)))
            numbers[f"likelihoods, {scenario.name}, n = {n}"] = rates
        title = "Likelihoods: coverage (t, bounded), false equivalence (bounded)"
        common.show(f"{title}: {scenario.name}", rows)
    rows = []
    for scenario, margin in EQUAL:
        drawn = scenario.draw(np.random.default_rng(0), replications, 2500)
        methods = (equivalent_by_t, equivalent, equivalent_by_betting)
        rates = [float(np.mean(method(drawn, scenario, margin))) for method in methods]
        name = f"{scenario.name}, scale {scenario.bound:g}, margin {margin:g}"
        rows.append((name, "  ".join(f"{100 * rate:5.1f}%" for rate in rates)))
        numbers[f"power, {name}"] = rates
    common.show("Power for equivalence, n = 2,500, no difference (t, bounded, betting)", rows)
    return numbers


if __name__ == "__main__":
    main()
