"""retrieval.csv: how well each retriever finds the evidence, with intervals."""

import numpy as np
import pandas as pd

from quantrag.retrieval.quality import MEASURES
from quantrag.statistics.bounded import Differences

RETRIEVAL_COLUMNS = [
    *["task", "retriever", "n", "n_clusters", *MEASURES],
    *[f"{measure}_{end}" for measure in MEASURES for end in ("low", "high")],
    "index_recall",
]


def summarize_retrieval(
    values: pd.DataFrame, clusters: np.ndarray, confidence: float
) -> dict[str, float]:
    """Means over the queries whose evidence is known, with intervals over their clusters.

    Args:
        values: float64 columns `MEASURES` from 0 to 1, a row for each of these queries.
        clusters: cluster of each of them.
        confidence: of the intervals.

    Returns:
        The columns `n`, `n_clusters`, and each measure with its `_low` and `_high`; NaN without
        queries, the ends also with a single cluster.
    """
    names, members = np.unique(clusters, return_inverse=True)
    row: dict[str, float] = {"n": len(values), "n_clusters": len(names)}
    if not len(values):
        return row
    n = len(names)
    counts = np.bincount(members, minlength=n).astype(np.float64)
    centred = np.array(
        [np.bincount(members, weights=values[m] - 0.5, minlength=n) for m in MEASURES]
    )
    bound = np.full(len(MEASURES), 0.5)
    means = Differences(centred, np.tile(counts, (len(MEASURES), 1)), bound)
    low, high = means.interval(confidence)
    for place, measure in enumerate(MEASURES):
        row[measure] = means.mean[place] + 0.5
        row[f"{measure}_low"] = low[place] + 0.5
        row[f"{measure}_high"] = high[place] + 0.5
    return row
