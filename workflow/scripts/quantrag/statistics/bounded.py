"""Confidence in the mean of bounded differences, exact where few clusters differ.

Most answers of a quantized model are those of its baseline; the few that differ may all differ in
one direction. There a t-test takes what it has not seen for impossible: of 100 clusters without a
difference it concludes that no cluster can differ. Here one imaginary cluster more is added to the
sample, with the largest difference that the scale allows, and all clusters get random weights:

    p(mean >= m) = P(sum_i E_i (a_i - m b_i) >= 0),  E_i independent, exponential

a_i the cluster's sum of differences, b_i its number of queries. This is Gaffke's bound (Gaffke
2005; Learned-Miller & Thomas 2020): valid for every bounded distribution that it was tried on,
though only conjectured in general. For labels it *is* the exact method: Clopper & Pearson's
interval when changes go one way, McNemar's exact test for "no difference"; without any change it is
the rule of three. Interval, p-value and equivalence are read from this one function, so they never
contradict each other.

Two refinements keep it from being needlessly wide where many clusters differ (docs/statistics.md
has the simulations):

- The imaginary cluster is as large as the largest difference seen in its direction, where there is
  one. What may happen unseen is bounded by the rule of three instead: no claim is made that a
  change by the whole scale in 1 - alpha^(1/n) of the clusters would refute. (If clusters hold
  several queries: in a cluster as large as that of a random query.)
- From `MANY` differing clusters on its weight is what second-order correctness asks for: half the
  mean size of a difference (the continuity correction) plus half the skewness (Johnson 1978; Hall
  1992), where the bound always takes the worst case.

The weighted sum's tail probability is computed by the saddlepoint approximation (Lugannani & Rice
1980, in Barndorff-Nielsen's form), which is within 3% of exact p-values and needs no random
numbers.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats
from scipy.special import ndtr, ndtri

# From here on the sample itself shows how skewed the differences are.
MANY = 50


@dataclass(frozen=True)
class Differences:
    """Differences of several estimates (cells), summed by cluster.

    Attributes:
        sums: float64 (estimates, clusters), sums of the queries' differences.
        counts: float64 (estimates, clusters), how many queries they are sums of; 0 for a cluster
            that doesn't count.
        bound: float64 (estimates,), the largest size that one query's difference is taken to have.
        scale: float64 (estimates,), the largest size that it can have, on which equivalence rests;
            None for the bound.
        differing: bool (estimates, clusters), which clusters differ; None for those whose sum
            isn't 0.
    """

    sums: np.ndarray
    counts: np.ndarray
    bound: np.ndarray
    differing: np.ndarray | None = None
    scale: np.ndarray | None = None

    def on_scale(self) -> "Differences":
        """The same, with nothing assumed of what wasn't seen but the scale."""
        return self if self.scale is None else replace(self, bound=self.scale, scale=None)

    @property
    def mean(self) -> np.ndarray:
        """The mean difference, (estimates,); NaN without any query."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.sums.sum(axis=1) / self.counts.sum(axis=1)

    @property
    def n_clusters(self) -> np.ndarray:
        """How many clusters count, (estimates,)."""
        return np.sum(self.counts > 0, axis=1)

    @property
    def differs(self) -> np.ndarray:
        """Which clusters differ, bool (estimates, clusters)."""
        return _differs(self.sums) if self.differing is None else self.differing

    @property
    def n_differing(self) -> np.ndarray:
        """How many clusters differ, (estimates,)."""
        return np.sum(self.differs, axis=1)

    @property
    def error(self) -> np.ndarray:
        """Standard error of the mean over clusters, (estimates,): s / sqrt(n) for equal counts."""
        n = self.n_clusters
        residual = self.sums - self.mean[:, None] * self.counts
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sqrt(n / (n - 1) * np.sum(residual**2, axis=1)) / self.counts.sum(axis=1)

    def p_at_least(self, value: np.ndarray | float) -> np.ndarray:
        """One-sided p-values of "the mean is `value` or more", (estimates,).

        NaN for a single cluster and where `value` is NaN.
        """
        value = np.broadcast_to(np.asarray(value, dtype=np.float64), self.mean.shape)
        known = np.nan_to_num(value)
        p_value = self._per_estimate(lambda side, rows: side.p_at_least(known[rows]))
        return np.where(np.isnan(value), np.nan, p_value)

    def p_at_most(self, value: np.ndarray | float) -> np.ndarray:
        """One-sided p-values of "the mean is `value` or less", as `p_at_least`."""
        return self._mirrored().p_at_least(-np.asarray(value, dtype=np.float64))

    def p_value(self) -> np.ndarray:
        """Two-sided p-values of "no difference on average", (estimates,)."""
        return np.minimum(1.0, 2 * np.minimum(self.p_at_least(0.0), self.p_at_most(0.0)))

    def interval(self, confidence: float) -> tuple[np.ndarray, np.ndarray]:
        """The values that neither one-sided test rejects at (1 - confidence) / 2.

        Returns:
            Lower and upper ends, (estimates,) each, within the bound; NaN for a single cluster.
        """
        alpha = (1 - confidence) / 2
        high = self._per_estimate(lambda side, rows: side.upper_end(alpha))
        low = -self._mirrored()._per_estimate(lambda side, rows: side.upper_end(alpha))
        return np.maximum(low, -self.bound), np.minimum(high, self.bound)

    def p_equivalence(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """p-values of "the mean lies outside (low, high)": two one-sided tests, (estimates,)."""
        own = self.on_scale()
        return np.maximum(own.p_at_least(high), own.p_at_most(low))

    def min_detectable(self, alpha: float, power: float) -> np.ndarray:
        """The smallest true difference that `p_value` < alpha finds with probability `power`.

        Approximately: (t(1 - alpha/2) + t(power)) standard errors [Cohen 1988], but no less than
        what it takes to see enough changed clusters. k clusters that change by `size`, all one way,
        have p = 2 (1 + size / bound)^-k; to see k of them with probability `power`, gamma(k)'s
        quantile must be expected. Never 0: where nothing changed, `size` is the bound.
        """
        n = self.n_clusters
        with np.errstate(invalid="ignore", divide="ignore"):
            usual = self.error * (stats.t.ppf(1 - alpha / 2, n - 1) + stats.t.ppf(power, n - 1))
            differs, n_differing = self.differs, self.n_differing
            size = np.sum(np.abs(self.sums) * differs, axis=1) / n_differing
            size = np.where(n_differing > 0, size, self.bound * self.counts.sum(axis=1) / n)
            share = np.minimum(size * n / (self.counts.sum(axis=1) * self.bound), 1.0)
            needed = np.ceil(np.log(2 / alpha) / np.log1p(share))
            least = stats.gamma.ppf(power, needed) * size / self.counts.sum(axis=1)
        return np.where(n > 1, np.maximum(usual, least), np.nan)

    def clusters_needed(self, margin: np.ndarray, alpha: float, power: float) -> np.ndarray:
        """How many clusters show equivalence with probability `power` if there is no difference.

        ((z(1 - alpha) + z((1 + power) / 2)) s / margin)^2 with s the standard deviation of the
        clusters' differences [Julious 2004], but no fewer than the rule of three needs.
        """
        n = self.n_clusters
        with np.errstate(invalid="ignore", divide="ignore"):
            deviation = self.error * np.sqrt(n)
            usual = ((ndtri(1 - alpha) + ndtri((1 + power) / 2)) * deviation / margin) ** 2
            share = margin / self.on_scale().bound
            least = np.where(share < 1, np.log(alpha) / np.log1p(-np.minimum(share, 1)), 2.0)
        return np.where(margin > 0, np.ceil(np.maximum(usual, least)), np.nan)

    def _mirrored(self) -> "Differences":
        return replace(self, sums=-self.sums)

    def _per_estimate(self, compute) -> np.ndarray:
        """Values of estimates with two clusters or more, computed in blocks that fit the cache."""
        result = np.full(len(self.sums), np.nan)
        usable = np.flatnonzero(self.n_clusters > 1)
        block = max(1, 200_000 // max(self.sums.shape[1], 1))
        for start in range(0, len(usable), block):
            rows = usable[start : start + block]
            differs = None if self.differing is None else self.differing[rows]
            distinct = _distinct(self.sums[rows], self.counts[rows], differs)
            result[rows] = compute(_Upper(*distinct, self.bound[rows]), rows)
        return result


def _differs(sums: np.ndarray) -> np.ndarray:
    # Sums of floats in another order leave 1e-17 where nothing differs.
    return np.abs(sums) > 1e-12


def _distinct(
    sums: np.ndarray, counts: np.ndarray, differs: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Equal clusters once: sums, counts, how many clusters they are, how many of these differ."""
    if differs is not None or np.ptp(counts) > 0:
        numbers = (counts > 0).astype(np.float64)
        return sums, counts, numbers, numbers * (_differs(sums) if differs is None else differs)
    unique = [np.unique(row, return_counts=True) for row in np.round(sums, 12)]
    width = max(len(values) for values, _ in unique)
    values, numbers = np.zeros((2, len(sums), width))
    for row, (value, number) in enumerate(unique):
        values[row, : len(value)], numbers[row, : len(value)] = value, number
    counts = np.broadcast_to(counts[:, :1], values.shape)
    return values, counts, numbers, numbers * _differs(values)


class _Upper:
    """The upper side: can the mean be as large as m?"""

    def __init__(
        self,
        sums: np.ndarray,
        counts: np.ndarray,
        weights: np.ndarray,
        differs: np.ndarray,
        bound: np.ndarray,
    ) -> None:
        self.n = weights.sum(axis=1)
        queries = (weights * counts).sum(axis=1)
        size = queries / self.n
        largest_size = (weights * counts**2).sum(axis=1) / queries
        self.mean = (weights * sums).sum(axis=1) / queries
        # What one cluster can do to the mean, times the number of clusters.
        self.reach = bound * largest_size / size
        largest = np.max(sums * (differs > 0), axis=1)
        extra = np.where(largest > 1e-12, largest, bound * largest_size)
        differing = differs.sum(axis=1)
        residual = sums - self.mean[:, None] * counts
        variance = (weights * residual**2).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            skewness = np.nan_to_num((weights * residual**3).sum(axis=1) / variance)
            typical = np.nan_to_num((differs * np.abs(sums)).sum(axis=1) / differing)
        needed = (typical + np.maximum(skewness, 0)) / (2 * extra)
        weight = np.where(differing < MANY, 1.0, np.minimum(needed, 1.0))
        self.sums = np.concatenate([sums, extra[:, None]], axis=1)
        self.counts = np.concatenate([counts, size[:, None]], axis=1)
        self.weights = np.concatenate([weights, weight[:, None]], axis=1)
        self.error = np.sqrt(variance + weight * extra**2) / queries

    def p_at_least(self, value: np.ndarray) -> np.ndarray:
        unseen = np.clip(1 - np.maximum(value - self.mean, 0) / self.reach, 0, 1) ** self.n
        return np.maximum(ndtr(-self._root(value)), unseen)

    def upper_end(self, alpha: float) -> np.ndarray:
        """The largest mean that isn't rejected at alpha: a secant search on the root's scale."""
        target = -ndtri(alpha)
        used = self.weights > 0
        with np.errstate(invalid="ignore", divide="ignore"):
            most = np.max(np.where(used, self.sums / self.counts, -np.inf), axis=1)
        low, high = np.minimum(self.mean, most), most
        before, at_before = low, np.zeros_like(low)
        now = np.minimum(self.mean + target * self.error, (low + 3 * high) / 4)
        scale = np.maximum(high - low, 1e-300)
        for _ in range(60):
            at = self._root(now)
            low, high = np.where(at < target, now, low), np.where(at < target, high, now)
            with np.errstate(invalid="ignore", divide="ignore"):
                step = (target - at) * (now - before) / (at - at_before)
            following = now + step
            inside = (following > low) & (following < high)
            following = np.where(inside, following, (low + high) / 2)
            if np.all((np.abs(following - now) < 1e-10 * scale) | (high - low < 1e-10 * scale)):
                break
            before, at_before, now = now, at, following
        unseen = self.mean + self.reach * (1 - alpha ** (1 / self.n))
        return np.maximum(following, unseen)

    def _root(self, value: np.ndarray) -> np.ndarray:
        """r* of "the mean is `value` or more", whose p-value is the normal tail beyond it."""
        y = np.where(self.weights > 0, self.sums - value[:, None] * self.counts, 0.0)
        return tail_root(y, self.weights)


def tail_root(y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """r* with P(sum_i G_i y_i >= 0) = P(N(0, 1) >= r*), G_i ~ Gamma(weights_i).

    The saddlepoint s solves K'(s) = sum w y / (1 - s y) = 0, K(s) = -sum w log(1 - s y); then
    r = sign(s) sqrt(-2 K(s)), u = s sqrt(K''(s)) and r* = r + log(u / r) / r.

    Args:
        y: float64 (n, terms); terms of weight 0 must be 0.
        weights: float64 (n, terms), 0 or more.

    Returns:
        float64 (n,); inf where every y is negative, -inf where none is.
    """
    lowest, highest = y.min(axis=1), y.max(axis=1)
    never, always = highest <= 0, lowest >= 0
    with np.errstate(divide="ignore"):
        low = np.where(always, -1.0, (1 - 1e-12) / np.where(always, -1.0, lowest))
        high = np.where(never, 1.0, (1 - 1e-12) / np.where(never, 1.0, highest))
    s = np.zeros(len(y))
    decided = never | always
    for _ in range(100):
        ratio = y / (1 - s[:, None] * y)
        slope = np.einsum("ij,ij->i", weights, ratio)
        curvature = np.einsum("ij,ij,ij->i", weights, ratio, ratio)
        low, high = np.where(slope < 0, s, low), np.where(slope < 0, high, s)
        with np.errstate(invalid="ignore", divide="ignore"):
            following = s - slope / curvature
        inside = (following > low) & (following < high)
        following = np.where(inside, following, (low + high) / 2)
        done = np.abs(slope) <= 1e-9 * np.sqrt(curvature)
        if np.all(done | decided):
            break
        s = np.where(done, s, following)
    cumulant = -np.einsum("ij,ij->i", weights, np.log1p(-s[:, None] * y))
    r = np.sign(s) * np.sqrt(np.maximum(-2 * cumulant, 0))
    u = s * np.sqrt(curvature)
    with np.errstate(invalid="ignore", divide="ignore"):
        # At the centre (r = u = 0) the limit is a third of the cumulants' ratio.
        third = np.einsum("ij,ij,ij,ij->i", weights, ratio, ratio, ratio) / curvature**1.5
        root = np.where(np.abs(r) < 1e-3, r + third / 3, r + np.log(u / r) / r)
    return np.where(never, np.inf, np.where(always, -np.inf, root))
