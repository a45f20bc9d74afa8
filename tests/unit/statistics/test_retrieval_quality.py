"""Means and intervals of the measures of retrieval."""

import numpy as np
import pandas as pd
import pytest

from quantrag.retrieval.quality import MEASURES
from quantrag.statistics.retrieval_quality import RETRIEVAL_COLUMNS, summarize_retrieval


def values(numbers):
    return pd.DataFrame(dict.fromkeys(MEASURES, np.asarray(numbers, dtype=np.float64)))


def test_means_are_over_queries_and_intervals_over_clusters():
    numbers, clusters = np.tile([1.0, 0, 0, 1, 1, 1, 0], 8), np.repeat(np.arange(14), 4)
    row = summarize_retrieval(values(numbers), clusters, 0.95)
    assert row.keys() <= set(RETRIEVAL_COLUMNS)
    assert (row["n"], row["n_clusters"]) == (56, 14)
    assert row["recall_1"] == pytest.approx(4 / 7)
    assert 0 < row["mrr_low"] < 4 / 7 < row["mrr_high"] < 1
    narrow = summarize_retrieval(values(numbers), clusters, 0.5)
    assert narrow["mrr_high"] - narrow["mrr_low"] < row["mrr_high"] - row["mrr_low"]


def test_all_found_still_has_an_interval():
    row = summarize_retrieval(values([1.0] * 30), np.arange(30), 0.95)
    assert row["recall_1"] == 1
    assert row["recall_1_high"] == pytest.approx(1)
    # Clopper and Pearson's, exact for a share: 0.025 ** (1 / 30).
    assert row["recall_1_low"] == pytest.approx(0.8843, abs=0.001)


def test_nothing_known_and_a_single_cluster():
    assert summarize_retrieval(values([]), np.array([]), 0.95) == {"n": 0, "n_clusters": 0}
    row = summarize_retrieval(values([1.0, 0]), np.array(["a", "a"]), 0.95)
    assert row["ndcg_10"] == 0.5
    assert np.isnan(row["ndcg_10_low"])


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        shares = np.repeat(rng.beta(4, 2, 30), 5)
        row = summarize_retrieval(
            values(rng.random(150) < shares), np.repeat(np.arange(30), 5), 0.9
        )
        held += row["mrr_low"] <= 2 / 3 <= row["mrr_high"]
    assert 0.86 <= held / 300 <= 0.97
