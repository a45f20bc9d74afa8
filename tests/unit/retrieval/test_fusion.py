"""Reciprocal rank fusion against its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantrag.retrieval.fusion import fuse

RANKINGS = st.lists(st.lists(st.integers(0, 9), unique=True, max_size=8), min_size=1, max_size=4)


def rows(*rankings):
    return [[np.array(ranking, dtype=np.int64)] for ranking in rankings]


@given(RANKINGS, st.sampled_from([0, 60]), st.integers(1, 12))
def test_scores_are_sums_of_reciprocal_ranks(rankings, k, depth):
    [(found, scores)] = fuse(rows(*rankings), k=k, depth=depth)
    known = {row for ranking in rankings for row in ranking}
    expected = {
        row: sum(1 / (k + 1 + ranking.index(row)) for ranking in rankings if row in ranking)
        for row in known
    }
    assert len(found) == min(depth, len(known))
    assert scores.tolist() == pytest.approx([expected[row] for row in found])
    assert scores.tolist() == pytest.approx(sorted(expected.values(), reverse=True)[:depth])


def test_computed_by_hand():
    # 7: 1/61 + 1/63; 3: 1/62 + 1/61; 5: 1/63.
    [(found, scores)] = fuse(rows([7, 3, 5], [3, 9, 7]), k=60, depth=None)
    assert found.tolist() == [3, 7, 9, 5]
    assert scores[0] == pytest.approx(0.0325224, abs=1e-7)


def test_the_same_ranks_by_whichever_retriever_tie_and_the_earlier_row_comes_first():
    a, b, c = [5, 2, 8], [2, 8, 5], [8, 5, 2]
    for order in ((a, b, c), (c, a, b), (b, c, a)):
        [(found, scores)] = fuse(rows(*order), k=60, depth=None)
        assert found.tolist() == [2, 5, 8]
        assert len(set(scores)) == 1


def test_queries_stay_apart_and_may_find_nothing():
    one = [np.array([1]), np.empty(0, np.int64)]
    found = list(fuse([one, one], k=60, depth=5))
    assert [ranked.tolist() for ranked, _ in found] == [[1], []]
