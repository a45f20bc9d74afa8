"""Exact search inside profiles against numpy."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantrag.retrieval import faiss_index
from quantrag.retrieval.scopes import scopes_of


def task(sizes, asked, seed, n_distinct=6, dimension=5):
    """Vectors with repeats, profiles of the given sizes, queries of the given users."""
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((n_distinct, dimension)).astype(np.float32)
    of_document = random.integers(0, n_distinct, sum(sizes))
    owners = [str(user) for user, size in enumerate(sizes) for _ in range(size)]
    scopes = scopes_of(
        pa.table({"scope_id": pa.array([str(user) for user in asked], pa.string())}),
        pa.table({"scope_id": pa.array(owners, pa.string())}),
    )
    queries = random.standard_normal((len(asked), dimension)).astype(np.float32)
    return vectors, of_document, scopes, queries


def assert_exact(found, vectors, of_document, scopes, queries):
    for query, (rows, scores) in enumerate(found):
        start, stop = scopes.slice_of(query)
        # All of the user's documents, and no other's.
        assert sorted(rows) == list(range(start, stop))
        products = vectors[of_document[start:stop]] @ queries[query]
        np.testing.assert_allclose(scores, products[rows - start], rtol=1e-5, atol=1e-6)
        assert (np.diff(scores) <= 0).all()
        # The same text ties with itself: in the profile's order.
        for one, other in pairwise(rows):
            assert of_document[one] != of_document[other] or one < other


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=6),
    st.lists(st.integers(0, 6), max_size=6),
    st.integers(0, 1000),
)
def test_equal_to_numpy_inside_the_profile(sizes, asked, seed):
    vectors, of_document, scopes, queries = task(sizes, asked, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faiss_index, "ROWS_AT_ONCE", 4)
        index = faiss_index.flat_index(vectors, of_document)
    found = list(faiss_index.retrieve(index, queries, scopes, None))
    assert_exact(found, vectors, of_document, scopes, queries)


def test_written_index_is_searched_from_disk_and_has_the_same_bytes(tmp_path):
    vectors, of_document, scopes, queries = task([30, 70], [1, 0, 1], seed=0, n_distinct=80)
    for name in ("a", "b"):
        faiss_index.build_index(vectors, of_document, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    index = faiss_index.read_index(tmp_path / "a")
    found = list(faiss_index.retrieve(index, queries, scopes, None))
    assert_exact(found, vectors, of_document, scopes, queries)
    few = list(faiss_index.retrieve(index, queries, scopes, 3))
    assert [rows.tolist() for rows, _ in few] == [rows[:3].tolist() for rows, _ in found]


def test_gpu_search_asks_for_the_profiles_vectors_alone(monkeypatch):
    vectors, of_document, scopes, queries = task([3, 4], [1, 0], seed=1)
    index = faiss_index.flat_index(vectors, of_document)

    def knn_gpu(resources, query, stored, k, metric):
        assert metric == faiss_index.faiss.METRIC_INNER_PRODUCT
        assert len(stored) == k
        products = query @ stored.T
        order = np.argsort(-products, axis=1)
        return np.take_along_axis(products, order, axis=1), order

    monkeypatch.setattr(faiss_index.faiss, "get_num_gpus", lambda: 1)
    monkeypatch.setattr(faiss_index.faiss, "StandardGpuResources", lambda: None, raising=False)
    monkeypatch.setattr(faiss_index.faiss, "knn_gpu", knn_gpu, raising=False)
    found = list(faiss_index.retrieve(index, queries, scopes, None))
    assert_exact(found, vectors, of_document, scopes, queries)
