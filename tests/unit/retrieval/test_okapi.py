"""BM25 for all profiles against rank_bm25 built for each."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

from quantrag.retrieval import okapi
from quantrag.retrieval.okapi_block import Parameters
from quantrag.retrieval.profiles import profiles_of

SPLIT = {"words": str.split, "characters": list}
# Left out: k1 = 0, and b = 1 with an empty document. rank_bm25 gives NaN there, ours gives 0.
# A small alphabet makes repeated documents, shared words and empty texts likely.
TEXT = st.lists(st.sampled_from(["a", "b", "c", "A", "é", "한글", "😀", ""]), max_size=6).map(
    " ".join
)
PROFILES = st.lists(st.tuples(TEXT, st.lists(TEXT, max_size=7)), min_size=1, max_size=6)
PARAMETERS = st.builds(
    Parameters,
    k1=st.sampled_from([0.2, 0.9, 1.5, 3.0]),
    b=st.sampled_from([0.0, 0.4, 0.75, 0.9]),
    epsilon=st.sampled_from([0.0, 0.25, 1.0]),
)


def strings(texts):
    return pa.array(texts, pa.large_string())


def task(users):
    """Texts, queries and profiles of [(query, documents), ...]."""
    owners = [str(user) for user, (_, documents) in enumerate(users) for _ in documents]
    profiles = profiles_of(
        pa.table({"user_id": [str(user) for user in range(len(users))]}),
        pa.table({"user_id": pa.array(owners, pa.string())}),
    )
    texts = strings([text for _, documents in users for text in documents])
    return texts, strings([query for query, _ in users]), profiles


def reference(query, documents, tokens, parameters):
    split = SPLIT[tokens]
    if not any(split(document) for document in documents):
        return np.zeros(len(documents))  # rank_bm25 divides by zero
    model = BM25Okapi(
        [split(document) for document in documents],
        k1=parameters.k1,
        b=parameters.b,
        epsilon=parameters.epsilon,
    )
    return model.get_scores(split(query))


def assert_same_ranking(found, start, expected):
    rows, scores = found
    by_place = np.empty(len(expected))
    by_place[rows - start] = scores
    # Idfs that cancel leave a rest of about 1e-17 that depends on the order of the sum.
    scale = max(1e-3, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(by_place, expected, rtol=1e-9, atol=1e-12 * scale)
    assert (np.diff(scores) <= 0).all()
    # Same order up to ties: in our order rank_bm25's scores never rise by more than rounding.
    assert (np.diff(expected[rows - start]) <= 1e-9 * scale).all()


@settings(deadline=None, max_examples=80)
@given(PROFILES, PARAMETERS, st.sampled_from(["words", "characters"]), st.integers(1, 40))
def test_scores_and_order_are_those_of_rank_bm25(users, parameters, tokens, block_bytes):
    texts, queries, profiles = task(users)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(okapi, "BLOCK_BYTES", block_bytes)
        found = okapi.retrieve(
            texts, queries, profiles, tokens=tokens, parameters=parameters, depth=None, threads=2
        )
    for query, (text, documents) in enumerate(users):
        start, stop = profiles.slice_of(query)
        assert sorted(found[query][0]) == list(range(start, stop))
        expected = reference(text, documents, tokens, parameters)
        assert_same_ranking(found[query], start, expected)


def test_kept_index_ranks_as_the_single_pass():
    texts, queries, profiles = task([("a b", ["a", "b b", "c"]), ("c", ["a c", "c", ""])] * 20)
    index = okapi.TokenIndex(texts, profiles, "words", threads=2)
    for parameters in (Parameters(), Parameters(k1=0.4, b=0.1, epsilon=0.5)):
        once = okapi.retrieve(
            texts, queries, profiles, tokens="words", parameters=parameters, depth=2
        )
        again = index.rank(index.look_up(queries), parameters, depth=2)
        for (rows, scores), (rows_again, scores_again) in zip(once, again, strict=True):
            np.testing.assert_array_equal(rows, rows_again)
            np.testing.assert_array_equal(scores, scores_again)


def test_several_queries_of_one_user():
    profiles = profiles_of(
        pa.table({"user_id": ["u", "u"]}), pa.table({"user_id": ["u", "u", "u"]})
    )
    texts, queries = strings(["x", "y", "z z"]), strings(["y", "z"])
    found = okapi.retrieve(
        texts, queries, profiles, tokens="words", parameters=Parameters(), depth=1
    )
    assert [rows.tolist() for rows, _ in found] == [[1], [2]]


def test_identical_documents_keep_their_order():
    texts, queries, profiles = task([("a", ["b", "a c", "x"] * 7)])
    rows, _ = okapi.retrieve(
        texts, queries, profiles, tokens="words", parameters=Parameters(), depth=None
    )[0]
    with_a = list(range(1, 21, 3))
    assert rows.tolist() == with_a + [row for row in range(21) if row not in with_a]
