"""Lucene's BM25 inside profiles."""

import math
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lucene_session

STATISTICS = ["collection", "profile"]


@pytest.fixture(scope="module")
def process():
    """A process with Java in it, started by spawn."""
    with ProcessPoolExecutor(1, get_context("spawn"), lucene_session.start) as pool:
        yield pool


@pytest.fixture(scope="module")
def search(process):
    """`lucene_session.search` in that process."""
    return lambda users, **options: process.submit(lucene_session.search, users, **options).result(
        timeout=60
    )


def formula(query, documents, known, k1, b):
    """Lucene's BM25 of some documents with the statistics of `known`; words at white space."""
    known = [text.split() for text in known if text.split()]
    average = sum(map(len, known)) / max(len(known), 1)
    scores = []
    for text in documents:
        words, score = text.split(), 0.0
        for word in query.split():
            n = sum(word in other for other in known)
            tf = Counter(words)[word]
            if tf:
                idf = math.log(1 + (len(known) - n + 0.5) / (n + 0.5))
                score += idf * tf / (tf + k1 * (1 - b + b * len(words) / average))
        scores.append(score)
    return np.array(scores)


WORDS = st.lists(st.sampled_from(["a", "b", "B", "c", "naïve", "한글", "😀"]), max_size=6)
TEXT = WORDS.map(" ".join)
USERS = st.lists(
    st.tuples(st.lists(TEXT, max_size=5), st.lists(TEXT, max_size=2)), min_size=1, max_size=5
)


def test_java_is_new_enough(process):
    version = process.submit(lucene_session.java_version).result(timeout=60)
    assert int(version.split(".")[0]) >= 21


@pytest.mark.parametrize("statistics", STATISTICS)
@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(users=USERS, shard=st.integers(1, 3))
def test_scores_follow_the_formula_inside_the_profile(search, statistics, users, shard):
    # User ids that an analyzer would change or drop.
    named = [(f"The-{i} Users", documents, queries) for i, (documents, queries) in enumerate(users)]
    options = {"k1": 1.2, "b": 0.7, "analyzer": "whitespace", "scopes_per_shard": shard}
    found = iter(search(named, statistics=statistics, **options))
    everything = [text for documents, _ in users for text in documents]
    start = 0
    for documents, queries in users:
        for query in queries:
            rows, scores = next(found)
            # All of the user's documents, and no other's.
            assert sorted(rows) == list(range(start, start + len(documents)))
            known = documents if statistics == "profile" else everything
            expected = formula(query, documents, known, 1.2, 0.7)
            by_place = np.empty(len(documents))
            by_place[np.array(rows, dtype=int) - start] = scores
            np.testing.assert_allclose(by_place, expected, rtol=1e-5, atol=1e-7)
            assert rows == [row for _, row in sorted(zip(-by_place, sorted(rows), strict=True))]
        start += len(documents)


@pytest.mark.parametrize("statistics", STATISTICS)
def test_no_character_of_a_query_is_syntax(search, statistics):
    documents = [
        "plain words",
        'foo:bar AND (baz*) ~2 \\ "quoted" [x TO y] {z} a/b?',
        "😀 \x00 smile",
    ]
    queries = [
        *documents,
        "NOT +must -not",
        ":",
        "",
        "\x00",
        "😀",
        "\ud83d".encode("utf-8", "replace").decode(),
    ]
    found = search([("u", documents, queries)], statistics=statistics)
    assert [rows[0] for rows, _ in found[:3]] == [0, 1, 2]
    assert found[7][0][0] == 2
    assert found[7][1][0] > 0
    assert all(sorted(rows) == [0, 1, 2] for rows, _ in found)


@pytest.mark.parametrize("statistics", STATISTICS)
def test_a_query_longer_than_lucenes_limit_of_clauses(search, statistics):
    query = " ".join(f"word{i}" for i in range(5_000))
    rows, scores = search([("u", ["other", "word4999"], [query])], statistics=statistics)[0]
    assert rows == [1, 0]
    assert scores[0] > scores[1] == 0


def test_users_with_the_same_texts_get_their_own(search):
    same = ["one two", "three"]
    users = [("first", same, ["three"]), ("second", same, ["three"]), ("none", [], ["three"])]
    for statistics in STATISTICS:
        found = search(users, statistics=statistics)
        assert [rows for rows, _ in found] == [[1, 0], [3, 2], []]


def test_equal_scores_keep_the_profiles_order_and_depth_cuts(search):
    users = [("u", ["x", "y", "x", "z", "x"], ["x", "nothing"])]
    assert [rows for rows, _ in search(users)] == [[0, 2, 4, 1, 3], [0, 1, 2, 3, 4]]
    assert [rows for rows, _ in search(users, depth=2)] == [[0, 2], [0, 1]]


@pytest.mark.parametrize(
    ("options", "best"),
    [
        ({"analyzer": "english-porter"}, 1),
        ({"analyzer": "english-krovetz"}, 1),
        ({"analyzer": "english-unstemmed"}, 2),
        ({"analyzer": "english-porter", "keep_stopwords": True}, 0),
        ({"analyzer": "whitespace"}, 0),
    ],
)
def test_analyzers_see_different_words(search, options, best):
    documents = ["the the The", "cat cat cat", "cats"]
    rows, _ = search([("u", documents, ["The cats" if best else "The"])], **options)[0]
    assert rows[0] == best


@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(TEXT, min_size=1, max_size=12), st.lists(TEXT, min_size=1, max_size=3))
def test_of_a_corpus_the_best_documents_are_those_with_a_word_of_the_query(
    search, documents, queries
):
    options = {"statistics": "corpus", "analyzer": "whitespace", "k1": 1.2, "b": 0.7, "depth": 3}
    for query, (rows, scores) in zip(
        queries, search([("corpus", documents, queries)], **options), strict=True
    ):
        expected = formula(query, documents, documents, 1.2, 0.7)
        np.testing.assert_allclose(scores, expected[rows], rtol=1e-5)
        assert len(rows) == min(3, np.count_nonzero(expected))
        assert set(rows) <= set(np.flatnonzero(expected))
        np.testing.assert_allclose(scores, np.sort(expected)[::-1][: len(rows)], rtol=1e-5)


def test_ties_in_a_corpus_keep_its_order_also_where_the_ranking_is_cut(search):
    # Row 9 comes before row 10, which as a text it does not; more rows than one batch.
    documents = ["word"] * 6_000
    [(rows, scores)] = search([("corpus", documents, ["word"])], statistics="corpus", depth=15)
    assert rows == list(range(15))
    assert len(set(scores)) == 1


def test_rows_are_found_again_across_batches_and_empty_texts(search):
    empty = {0, 3, 4, 5, 11}
    documents = ["" if row in empty else f"word{row}" for row in range(14)]
    queries = [f"word{row}" for row in range(14)]
    found = search([("u", documents, queries)], statistics="corpus", depth=5, batch=3)
    assert [rows for rows, _ in found] == [[] if row in empty else [row] for row in range(14)]


def test_a_corpus_ranks_as_a_profile_with_the_same_documents_does(search):
    documents = ["one two two", "", "three", "two", "two three one", "two"]
    queries = ["two", "one three", "four"]
    users = [("u", documents, queries)]
    profile, corpus = (search(users, statistics=s, depth=6) for s in ("collection", "corpus"))
    for (rows, scores), (found, of_found) in zip(profile, corpus, strict=True):
        n = int(np.count_nonzero(scores))
        assert (rows[:n], scores[:n]) == (found, of_found)
