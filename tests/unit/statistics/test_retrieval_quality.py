"""Means and intervals of the measures of retrieval."""

import numpy as np
import pandas as pd
import pytest

from quantrag.retrieval.quality import MEASURES
from quantrag.statistics.retrieval_quality import RETRIEVAL_COLUMNS, summarize_retrieval


def values(numbers):
    return pd.DataFrame(dict.fromkeys(MEASURES, np.asarray(numbers, dtype=np.float64)))


def summarized(numbers, clusters, confidence=0.95):
    return summarize_retrieval(
        values(numbers), clusters, confidence=confidence, draws=500, rng=np.random.default_rng(0)
    )


def test_means_are_over_queries_and_intervals_over_clusters():
    # Clusters of 2 and 6 queries: the mean of their means would be another number.
    clusters = np.repeat(np.arange(20), [2, 6] * 10)
    numbers = np.tile([1.0, 1, 0, 0, 1, 0, 0, 1], 10)
    row = summarized(numbers, clusters)
    assert row.keys() <= set(RETRIEVAL_COLUMNS)
    assert (row["n"], row["n_clusters"]) == (80, 20)
    assert row["recall_1"] == pytest.approx(0.5)
    assert 0 < row["mrr_low"] < 0.5 < row["mrr_high"] < 1
    narrow = summarized(numbers, clusters, confidence=0.5)
    assert narrow["mrr_high"] - narrow["mrr_low"] < row["mrr_high"] - row["mrr_low"]


def test_queries_that_go_together_say_less_than_as_many_others():
    numbers = np.repeat(np.tile([1.0, 0, 1], 20), 10)
    together = summarized(numbers, np.repeat(np.arange(60), 10))
    apart = summarized(numbers, np.arange(600))
    widths = [row["mrr_high"] - row["mrr_low"] for row in (together, apart)]
    assert widths[0] / widths[1] == pytest.approx(10**0.5, rel=0.2)


def test_nothing_known_and_a_single_cluster():
    assert summarized([], np.array([])) == {"n": 0, "n_clusters": 0}
    row = summarized([1.0, 0], np.array(["a", "a"]))
    assert row["ndcg_10"] == 0.5
    assert np.isnan(row["ndcg_10_low"])


def test_all_found_is_all_found():
    row = summarized([1.0] * 30, np.arange(30))
    assert [row[f"recall_1{end}"] for end in ("", "_low", "_high")] == [1, 1, 1]
