"""Rerankings by a score that is known."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from quantrag.retrieval import rerank as module
from quantrag.retrieval.rerank import rerank

TEXTS = pa.array([f"{n}" for n in range(10)], pa.large_string())


def distance(queries, documents):
    return np.array([-abs(float(q) - float(d)) for q, d in zip(queries, documents, strict=True)])


def ranked(*rankings):
    return [np.array(ranking, dtype=np.int64) for ranking in rankings]


def test_the_first_documents_are_ordered_anew_and_the_others_follow():
    found = list(
        rerank(
            distance, ranked([0, 9, 5, 4, 7], [], [1]), ["5", "1", "3"], TEXTS, depth=3, keep=None
        )
    )
    assert [rows.tolist() for rows, _ in found] == [[5, 9, 0, 4, 7], [], [1]]
    assert found[0][1].tolist() == [0, -4, -5, -6, -7]
    [(rows, _)] = rerank(distance, ranked([0, 9, 5, 4]), ["5"], TEXTS, depth=3, keep=2)
    assert rows.tolist() == [5, 9]


def test_documents_behind_follow_right_after_scores_above_zero():
    def positive(queries, documents):
        return 10 + distance(queries, documents)

    [(_, scores)] = rerank(positive, ranked([5, 6, 7, 8]), ["5"], TEXTS, depth=2, keep=None)
    assert scores.tolist() == [10, 9, 8, 7]


def test_equal_scores_keep_the_order_of_the_documents():
    [(rows, _)] = rerank(distance, ranked([6, 5, 4]), ["5"], TEXTS, depth=9, keep=None)
    assert rows.tolist() == [5, 4, 6]


@given(
    st.lists(st.lists(st.integers(0, 9), unique=True), min_size=1, max_size=9),
    st.integers(1, 12),
    st.integers(1, 30),
)
def test_every_pair_is_scored_once_however_many_go_together(rankings, depth, at_once):
    asked = []

    def score(queries, documents):
        asked.extend(zip(queries, documents, strict=True))
        return distance(queries, documents)

    queries = [str(query) for query in range(len(rankings))]
    kept, module.PAIRS_AT_ONCE = module.PAIRS_AT_ONCE, at_once
    try:
        found = list(rerank(score, ranked(*rankings), queries, TEXTS, depth=depth, keep=None))
    finally:
        module.PAIRS_AT_ONCE = kept
    pairs = [(str(q), str(row)) for q, rows in enumerate(rankings) for row in rows[:depth]]
    assert sorted(asked) == sorted(pairs)
    for rows, (given_rows, scores) in zip(rankings, found, strict=True):
        assert sorted(given_rows) == sorted(rows)
        assert (np.diff(scores) <= 0).all()
