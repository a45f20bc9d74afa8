"""The difference that a precision makes to a metric, as a mean of the clusters' bounded ones."""

from dataclasses import dataclass

import numpy as np

from quantrag.scoring.metrics import Metric
from quantrag.statistics.bootstrap import influences, jackknife
from quantrag.statistics.bounded import Differences
from quantrag.statistics.estimators import by_cluster, difference_estimator, point, scores_estimator
from quantrag.statistics.score_arrays import ScoreArrays


@dataclass(frozen=True)
class Effect:
    """A metric's difference between pairs of cells.

    Tests are made on `differences`. A metric that is a mean (MAE, accuracy, ROUGE) is itself their
    mean. RMSE differs from 0 exactly where the mean squared error does, so its test is that of the
    squared errors (bounded by 16), and the ends of its interval are theirs as RMSE, at the
    baseline's observed error. Macro F1 is no mean; its differences are the clusters' influences
    (linearization), and their bound is the largest influence on either score, or 1 if that is
    larger. It knows nothing of labels too rare for the sample: intervals then cover too little.

    Attributes:
        differences: by cluster, in the unit of the metric's per-query column.
        baseline: the baseline's value, (estimates,).
        is_root: whether the metric is the root of a mean.
    """

    differences: Differences
    baseline: np.ndarray
    is_root: bool = False

    @property
    def value(self) -> np.ndarray:
        """The metric's difference, precision minus baseline, (estimates,)."""
        return self.as_metric(self.differences.mean)

    def as_metric(self, mean: np.ndarray) -> np.ndarray:
        """The metric's difference where the differences have this mean."""
        if not self.is_root:
            return mean
        return np.sqrt(np.maximum(self.baseline**2 + mean, 0.0)) - self.baseline

    def as_mean(self, difference: np.ndarray) -> np.ndarray:
        """The mean of the differences where the metric differs by this much."""
        if not self.is_root:
            return difference
        return np.maximum(self.baseline + difference, 0.0) ** 2 - self.baseline**2

    def interval(self, confidence: float) -> tuple[np.ndarray, np.ndarray]:
        """Confidence interval of the metric's difference, (estimates,) each."""
        low, high = self.differences.interval(confidence)
        return self.as_metric(low), self.as_metric(high)

    def p_equivalence(self, margin: np.ndarray) -> np.ndarray:
        """p-values of "the metric differs by `margin` or more", (estimates,)."""
        return self.differences.p_equivalence(self.as_mean(-margin), self.as_mean(margin))

    def min_detectable(self, alpha: float, power: float) -> np.ndarray:
        """The smallest difference of the metric that is found with probability `power`."""
        return self.as_metric(self.differences.min_detectable(alpha, power))

    def clusters_needed(self, margin: np.ndarray, alpha: float, power: float) -> np.ndarray:
        """How many clusters the margin needs if there is no difference."""
        return self.differences.clusters_needed(self.as_mean(margin), alpha, power)


def effect(
    grid: ScoreArrays, metric: Metric, pairs: np.ndarray, include: np.ndarray | None = None
) -> Effect:
    """A metric's differences between pairs of cells.

    Args:
        grid: the task's scores.
        metric: one of the task's metrics.
        pairs: int (estimates, 2), rows of the grid: precision, baseline.
        include: bool (estimates, queries), which queries count; None for all.
    """
    if include is None:
        include = np.ones((len(pairs), len(grid.clusters)), dtype=bool)
    columns = [grid.scores[column] for column in metric.columns]
    # Likelihoods may be missing for some queries.
    include = include & ~np.any([np.isnan(c[pairs]).any(axis=1) for c in columns], axis=0)
    reference = scores_estimator(grid, metric, pairs[:, 1], include)
    if metric.is_mean or metric.is_root:
        first, second = (np.where(include, columns[0][rows], 0.0) for rows in pairs.T)
        by_query = first - second
        bound, scale = metric.largest_differences(first, second, include)
        differences = Differences(
            by_cluster(grid, by_query),
            by_cluster(grid, include),
            bound,
            scale=None if scale is bound else scale,
        )
        return Effect(differences, point(reference), metric.is_root)
    estimator = difference_estimator(grid, metric, pairs, include)
    counts = by_cluster(grid, include) > 0
    n = counts.sum(axis=1, keepdims=True)
    influence = influences(jackknife(estimator)).T * (n - 1) / max(grid.n_clusters - 1, 1)
    other = scores_estimator(grid, metric, pairs[:, 0], include)
    largest = [np.max(np.abs(influences(jackknife(e))), axis=0) for e in (reference, other)]
    unequal = np.any([c[pairs[:, 0]] != c[pairs[:, 1]] for c in columns], axis=0)
    differences = Differences(
        np.where(counts, point(estimator)[:, None] + influence, 0.0),
        counts.astype(np.float64),
        np.maximum(np.maximum(*largest), metric.bound),
        by_cluster(grid, unequal & include) > 0,
    )
    return Effect(differences, point(reference))


def pooled(effects: Effect, groups: np.ndarray) -> Differences:
    """Mean differences over groups of cells, each cluster's cells taken together.

    Args:
        effects: of a metric that is a mean.
        groups: int (estimates,), the group of each estimate, from 0 without gaps.

    Returns:
        Differences of (groups,): a cluster's sum is over all cells, and so is the count of queries.
    """
    own = effects.differences
    member = np.arange(groups.max() + 1)[:, None] == groups
    cells = member.sum(axis=1, keepdims=True)
    # Of cells in which a query counts.
    bound, scale = (
        None if size is None else np.max(np.where(member & (own.n_clusters > 0), size, 0.0), axis=1)
        for size in (own.bound, own.scale)
    )
    differing = (member.astype(np.float64) @ own.differs) > 0
    # Per cell, so that a query counts once however many cells it is in.
    return Differences(
        member.astype(np.float64) @ own.sums / cells,
        member.astype(np.float64) @ own.counts / cells,
        bound,
        differing,
        scale,
    )


def contrast(first: Differences, second: Differences) -> Differences:
    """How much two means differ, first minus second, over the same clusters.

    A cluster may have queries in both. The difference of two ratios of sums is linearized: a
    cluster's value is the difference plus its influence on it. What an unseen cluster can do is
    bounded by what one as large as that of a random query could do to both means, in the group
    where that is more. NaN where either mean is of a single cluster.
    """
    pair = (first, second)
    known = (first.n_clusters > 1) & (second.n_clusters > 1)
    counts = ((first.counts > 0) | (second.counts > 0)) & known[:, None]
    n = counts.sum(axis=1, keepdims=True)
    means = [np.nan_to_num(own.mean)[:, None] for own in pair]
    # Nothing is counted in a mean that isn't known.
    totals = [np.where(known, own.counts.sum(axis=1), 1.0)[:, None] for own in pair]
    influences_on = [
        n * (own.sums - mean * own.counts) / total
        for own, mean, total in zip(pair, means, totals, strict=True)
    ]
    value = means[0] - means[1] + influences_on[0] - influences_on[1]
    shares = [own.counts / total for own, total in zip(pair, totals, strict=True)]
    reach = np.max([np.sum(share * sum(shares), axis=1) for share in shares], axis=0) * n[:, 0]
    return Differences(
        np.where(counts, value, 0.0),
        counts.astype(np.float64),
        np.maximum(first.bound, second.bound) * reach,
        (first.differs | second.differs) & counts,
    )
