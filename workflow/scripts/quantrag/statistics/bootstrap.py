"""Bootstrap over clusters: one matrix of weights, shared by all cells, metrics and differences.

A cluster is what the task says belongs together (all of a user's queries, for LaMP). A resample of
n clusters with replacement is a vector of n counts. All resamples are a matrix (draws x clusters)
of counts; times the per-cluster sums (clusters x columns) it gives the sums of every resample in
one matrix product. Intervals are BCa (Efron 1987; Efron & Tibshirani 1993, chapter 14): percentile
intervals, corrected for the bias and skewness of the estimate.
"""

import zlib
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, ndtri

from quantrag.statistics.estimators import Estimator

# Draws per block: 500 x 2,500 clusters are 10 MB of weights.
BLOCK = 500


def generator(seed: int, *names: str) -> np.random.Generator:
    """A random generator that depends only on the seed and names, not on what ran before."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def bootstrap(
    estimators: Sequence[Estimator], draws: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Draw all estimators' bootstrap distributions from the same resamples.

    Args:
        estimators: all with the same clusters.
        draws: how many resamples.
        rng: source of the resamples.

    Returns:
        Per estimator float64 (draws, estimates).
    """
    n_clusters = len(estimators[0].sums)
    sums = np.concatenate([estimator.sums for estimator in estimators], axis=1)
    ends = np.cumsum([estimator.sums.shape[1] for estimator in estimators])[:-1]
    results: list[list[np.ndarray]] = [[] for _ in estimators]
    for start in range(0, draws, BLOCK):
        weights = _weights(n_clusters, min(BLOCK, draws - start), rng)
        for result, estimator, part in zip(
            results, estimators, np.split(weights @ sums, ends, axis=1), strict=True
        ):
            result.append(estimator.evaluate(part))
    return [np.concatenate(result) for result in results]


def _weights(n_clusters: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """How often each cluster is in each resample: float64 (draws, clusters)."""
    chosen = rng.integers(n_clusters, size=(draws, n_clusters))
    chosen += np.arange(draws)[:, None] * n_clusters
    counts = np.bincount(chosen.ravel(), minlength=draws * n_clusters)
    return counts.reshape(draws, n_clusters).astype(np.float64)


def jackknife(estimator: Estimator) -> np.ndarray:
    """The estimates without each cluster in turn, (clusters, estimates)."""
    return estimator.evaluate(estimator.sums.sum(axis=0) - estimator.sums)


def influences(leave_one_out: np.ndarray) -> np.ndarray:
    """How far each cluster moves the estimate, times the number of clusters: (clusters, estimates).

    For a mean these are the clusters' deviations from it.
    """
    return (len(leave_one_out) - 1) * (leave_one_out.mean(axis=0) - leave_one_out)


def bca_interval(
    distribution: np.ndarray, estimate: np.ndarray, influence: np.ndarray, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    """BCa intervals, column by column.

    Args:
        distribution: bootstrap distribution, (draws, estimates). Draws that are NaN (a resample
            without any valid answer) are left out.
        estimate: the estimates on the data, (estimates,).
        influence: of each cluster, from `influences`, (clusters, estimates).
        confidence: e.g. 0.95.

    Returns:
        Lower and upper ends, (estimates,) each; NaN where the estimate is NaN.
    """
    ordered = np.sort(distribution, axis=0)  # NaN last
    usable = np.sum(~np.isnan(ordered), axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Draws that equal the estimate but for rounding count half (ratings give many).
        rounding = 1e-12 * np.nanmax(np.abs(ordered), axis=0, initial=0)
        below = np.sum(ordered < estimate - rounding, axis=0)
        below += np.sum(ordered <= estimate + rounding, axis=0)
        bias = ndtri(below / (2 * usable))
        # Where all draws lie on one side no correction can be estimated.
        bias = np.where(np.isfinite(bias), bias, 0.0)
        skewness = np.sum(influence**3, axis=0) / np.sum(influence**2, axis=0) ** 1.5
        acceleration = np.nan_to_num(skewness, nan=0.0) / 6
        ends = []
        for z in ndtri([(1 - confidence) / 2, (1 + confidence) / 2]):
            shifted = bias + z
            level = ndtr(bias + shifted / (1 - acceleration * shifted))
            ends.append(_quantile(ordered, usable, level))
    known = (usable > 0) & ~np.isnan(estimate)
    return tuple(np.where(known, end, np.nan) for end in ends)


def _quantile(ordered: np.ndarray, usable: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Each column's own quantile, interpolated as `numpy.quantile` does."""
    position = level * np.maximum(usable - 1, 0)
    low = np.floor(position).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(usable - 1, 0))
    columns = np.arange(ordered.shape[1])
    return ordered[low, columns] + (position - low) * (
        ordered[high, columns] - ordered[low, columns]
    )
