"""retrieval.csv: how well each retriever finds the evidence, with intervals."""

import numpy as np
import pandas as pd

from quantrag.retrieval.quality import MEASURES
from quantrag.statistics.bootstrap import bca_interval, bootstrap, influences, jackknife
from quantrag.statistics.estimators import Estimator, point

RETRIEVAL_COLUMNS = [
    *["task", "retriever", "n", "n_clusters", *MEASURES],
    *[f"{measure}_{end}" for measure in MEASURES for end in ("low", "high")],
    "index_recall",
]


def summarize_retrieval(
    values: pd.DataFrame,
    clusters: np.ndarray,
    *,
    confidence: float,
    draws: int,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Means over the queries whose evidence is known, with BCa intervals over their clusters.

    Args:
        values: float64 columns `MEASURES` from 0 to 1, a row for each of these queries.
        clusters: cluster of each of them.
        confidence: of the intervals.
        draws: bootstrap resamples.
        rng: source of the resamples.

    Returns:
        The columns `n`, `n_clusters`, and each measure with its `_low` and `_high`; without queries
        only the first two, the ends NaN with a single cluster.
    """
    names, members = np.unique(clusters, return_inverse=True)
    row: dict[str, float] = {"n": len(values), "n_clusters": len(names)}
    if not len(values):
        return row
    columns = [*(values[measure] for measure in MEASURES), np.ones(len(values))]
    sums = np.stack([np.bincount(members, weights=column) for column in columns], axis=1)
    estimator = Estimator(sums, lambda summed: summed[:, :-1] / summed[:, -1:])
    means = point(estimator)
    low = high = np.full(len(means), np.nan)
    if len(names) > 1:
        [distribution] = bootstrap([estimator], draws, rng)
        influence = influences(jackknife(estimator))
        low, high = bca_interval(distribution, means, influence, confidence)
    for place, measure in enumerate(MEASURES):
        row[measure] = means[place]
        row[f"{measure}_low"], row[f"{measure}_high"] = low[place], high[place]
    return row
