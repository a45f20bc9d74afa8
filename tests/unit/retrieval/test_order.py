"""LaMP's baselines that look at no text."""

import numpy as np
import pyarrow as pa
import pytest

from quantrag.errors import UserError
from quantrag.retrieval import order
from quantrag.retrieval.scopes import scopes_of

QUERIES = ["q1", "q2", "q3"]
PROFILES = scopes_of(
    pa.table({"scope_id": ["a", "b", "nobody"]}), pa.table({"scope_id": ["a"] * 4 + ["b"] * 3})
)
DATES = ["2019-05-01", "2020-01-31", "2019-05-01", "", "", "", ""]


def rank(by, seed=0, depth=None):
    found = order.retrieve(by, QUERIES, DATES, PROFILES, seed=seed, depth=depth)
    return [rows.tolist() for rows, _ in found]


def test_newest_first_and_the_later_in_the_file_is_the_newer():
    assert rank("recency") == [[1, 2, 0, 3], [6, 5, 4], []]
    assert rank("recency", depth=1) == [[1], [6], []]


def test_random_is_a_permutation_of_the_profile_that_the_seed_decides():
    first = rank("random")
    assert [sorted(rows) for rows in first] == [[0, 1, 2, 3], [4, 5, 6], []]
    assert rank("random") == first
    assert any(rank("random", seed=seed) != first for seed in range(1, 5))


def test_random_does_not_depend_on_the_other_queries():
    alone = order.random_scores("q2", 100, seed=3)
    np.testing.assert_array_equal(alone, order.random_scores("q2", 100, seed=3))
    assert (alone != order.random_scores("q1", 100, seed=3)).any()


def of_corpus(by, dates, depth=3):
    found = order.retrieve_from_corpus(by, QUERIES, dates, seed=0, depth=depth)
    return [rows.tolist() for rows, scores in found if (np.diff(scores) <= 0).all()]


def test_the_newest_documents_of_a_corpus_are_the_same_for_every_query():
    assert of_corpus("recency", DATES) == [[1, 2, 0]] * 3
    with pytest.raises(UserError, match="recency needs the documents' dates"):
        of_corpus("recency", [""] * 4)


def test_random_documents_of_a_corpus_are_different_ones():
    found = of_corpus("random", [""] * 1_000_000)
    assert [len(set(rows)) for rows in found] == [3, 3, 3]
    assert len({tuple(rows) for rows in found}) == 3
    assert [sorted(rows) for rows in of_corpus("random", [""] * 2)] == [[0, 1]] * 3
