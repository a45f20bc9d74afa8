"""Profiles ranked by BM25Okapi, against the formula written out."""

import math
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantrag.retrieval import okapi
from quantrag.retrieval.scopes import scopes_of

DEFAULTS = {"k1": 1.5, "b": 0.75, "epsilon": 0.25}
# A small alphabet makes repeated documents, shared words and empty texts likely.
TEXT = st.lists(st.sampled_from(["a", "b", "c", "A", "é", "한글", "😀", ""]), max_size=6).map(
    " ".join
)
PROFILES = st.lists(st.tuples(TEXT, st.lists(TEXT, max_size=7)), min_size=1, max_size=6)
PARAMETERS = st.fixed_dictionaries(
    {
        "k1": st.sampled_from([0, 0.2, 0.9, 1.5, 3.0]),
        "b": st.sampled_from([0, 0.4, 0.75, 1]),
        "epsilon": st.sampled_from([0, 0.25, 1.0]),
    }
)


def strings(texts):
    return pa.array(texts, pa.large_string())


def task(users):
    """Texts, queries and profiles of [(query, documents), ...]."""
    owners = [str(user) for user, (_, documents) in enumerate(users) for _ in documents]
    scopes = scopes_of(
        pa.table({"scope_id": [str(user) for user in range(len(users))]}),
        pa.table({"scope_id": pa.array(owners, pa.string())}),
    )
    texts = strings([text for _, documents in users for text in documents])
    return texts, strings([query for query, _ in users]), scopes


def expected_scores(query, documents, k1, b, epsilon):
    """The formula; a document without any of the query's tokens has 0, whatever the parameters."""
    counts = [Counter(document) for document in documents]
    found_in = Counter(token for count in counts for token in count)
    idf = {
        token: math.log(len(documents) - n + 0.5) - math.log(n + 0.5)
        for token, n in found_in.items()
    }
    floor = epsilon * sum(idf.values()) / max(len(idf), 1)
    average = sum(map(len, documents)) / len(documents)
    scores = np.zeros(len(documents))
    for token in query:
        for row, (document, count) in enumerate(zip(documents, counts, strict=True)):
            if token in count:
                weight = idf[token] if idf[token] >= 0 else floor
                length = 1 - b + b * len(document) / average
                scores[row] += weight * count[token] * (k1 + 1) / (count[token] + k1 * length)
    return scores


@settings(deadline=None)
@given(PROFILES, PARAMETERS, st.sampled_from(["words", "characters"]))
@pytest.mark.filterwarnings("error")
def test_scores_are_those_of_the_formula_and_order_falls_with_them(users, parameters, tokens):
    texts, queries, scopes = task(users)
    found = okapi.retrieve(texts, queries, scopes, tokens=tokens, parameters=parameters, depth=None)
    split = {"words": str.split, "characters": list}[tokens]
    for query, (text, documents) in enumerate(users):
        rows, scores = found[query]
        if not documents:
            assert len(rows) == len(scores) == 0
            continue
        start, stop = scopes.slice_of(query)
        assert sorted(rows) == list(range(start, stop))
        by_place = np.empty(len(documents))
        by_place[rows - start] = scores
        expected = expected_scores(split(text), [split(d) for d in documents], **parameters)
        # Idfs that cancel leave a rest of about 1e-17 that depends on the order of the sum.
        scale = max(1e-3, np.abs(expected).max(initial=0))
        np.testing.assert_allclose(by_place, expected, rtol=1e-9, atol=1e-12 * scale)
        ranked = list(zip(-scores, rows, strict=True))
        assert ranked == sorted(ranked)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("tokens", ["words", "characters"])
@pytest.mark.parametrize(
    ("documents", "parameters", "best"),
    [
        (["", "", ""], DEFAULTS, [0, 1, 2]),
        ([""], DEFAULTS, [0]),
        (["a"], DEFAULTS, [0]),
        (["c", "b", "a", "d"], {**DEFAULTS, "k1": 0}, [2, 0, 1, 3]),
        (["", "b", "a", ""], {**DEFAULTS, "b": 1}, [2, 0, 1, 3]),
    ],
    ids=["only empty texts", "one empty text", "one document", "k1 = 0", "b = 1, empty texts"],
)
def test_what_rank_bm25_alone_would_stumble_over(documents, parameters, tokens, best):
    texts, queries, scopes = task([("a", documents)])
    ((rows, scores),) = okapi.retrieve(
        texts, queries, scopes, tokens=tokens, parameters=parameters, depth=None
    )
    assert rows.tolist() == best
    assert np.isfinite(scores).all()


def test_words_are_separated_by_any_white_space_and_case_counts():
    texts, queries, scopes = task(
        [("Net\u3000a", ["net", "x\tNet\xa0y", "Net,", "z", "w", "v"]), ("q", ["p"])]
    )
    found = okapi.retrieve(texts, queries, scopes, tokens="words", parameters=DEFAULTS, depth=None)
    assert found[0][0].tolist() == [1, 0, 2, 3, 4, 5]
    assert np.flatnonzero(found[0][1]).tolist() == [0]


def test_several_queries_of_one_user_in_any_order():
    scopes = scopes_of(
        pa.table({"scope_id": ["u", "v", "none", "u"]}),
        pa.table({"scope_id": ["v", "v", "v", "u", "u", "u"]}),
    )
    texts = strings(["y", "z", "x", "x", "y", "z z"])
    queries = strings(["y", "x", "x", "z"])
    found = okapi.retrieve(texts, queries, scopes, tokens="words", parameters=DEFAULTS, depth=1)
    assert [rows.tolist() for rows, _ in found] == [[4], [2], [], [5]]


def test_identical_documents_keep_their_order():
    texts, queries, scopes = task([("a", ["b", "a c", "x"] * 7)])
    rows, _ = okapi.retrieve(
        texts, queries, scopes, tokens="words", parameters=DEFAULTS, depth=None
    )[0]
    with_a = list(range(1, 21, 3))
    assert rows.tolist() == with_a + [row for row in range(21) if row not in with_a]
