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


def best_of(vectors, of_document, query, depth):
    """Rows and scores by the same sums, one row at a time."""
    products = np.array([np.einsum("d,d", vectors[row], query) for row in of_document])
    order = np.argsort(-products, kind="stable")[:depth]
    return order.tolist(), products[order].tolist()


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 60),
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(0, 5),
    st.integers(0, 99),
)
def test_of_a_corpus_exactly_the_best_are_found_and_ties_keep_its_order(
    size, distinct, depth, n_queries, seed
):
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((distinct, 5)).astype(np.float32)
    of_document = random.integers(0, distinct, size)
    queries = random.standard_normal((n_queries, 5)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faiss_index, "SPARE_RESULTS", 1)
        patch.setattr(faiss_index, "QUERIES_AT_ONCE", 2)
        index = faiss_index.flat_index(vectors, of_document)
        found = list(faiss_index.retrieve_from_corpus(index, queries, depth))
    assert len(found) == n_queries
    for query, (rows, scores) in zip(queries, found, strict=True):
        expected, of_expected = best_of(vectors, of_document, query, depth)
        assert rows.tolist() == expected
        assert scores.tolist() == pytest.approx(of_expected, rel=1e-5, abs=1e-6)


def test_the_same_text_has_the_same_score_wherever_it_stands():
    random = np.random.default_rng(0)
    vectors = random.standard_normal((40, 384)).astype(np.float32)
    # As many queries as FAISS computes by matrix products.
    queries = random.standard_normal((64, 384)).astype(np.float32)
    index = faiss_index.flat_index(vectors, np.arange(4_001) % 40)
    for rows, scores in faiss_index.retrieve_from_corpus(index, queries, 150):
        assert rows[:100].tolist() == list(range(rows[0], 4_001, 40))[:100]
        assert len(set(scores[:100])) == 1


def test_the_recall_of_a_graph_is_measured_against_the_flat_index(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    vectors = random.standard_normal((2_000, 16)).astype(np.float32)
    queries = random.standard_normal((50, 16)).astype(np.float32)
    faiss_index.build_index(vectors, np.arange(2_000), tmp_path / "hnsw", "hnsw")
    graph = faiss_index.read_index(tmp_path / "hnsw")
    recall = faiss_index.index_recall(graph, queries, 10)
    assert 0.9 < recall <= 1
    exact = [best_of(vectors, range(2_000), query, 10)[0] for query in queries]
    found = [rows for rows, _ in faiss_index.retrieve_from_corpus(graph, queries, 10)]
    shares = [len(set(a) & set(b)) / 10 for a, b in zip(exact, found, strict=True)]
    assert recall == pytest.approx(np.mean(shares))
    monkeypatch.setattr(faiss_index, "HNSW_SEARCHING", 1)
    monkeypatch.setattr(faiss_index, "SPARE_RESULTS", 0)
    assert faiss_index.index_recall(graph, queries, 1) < 1
    assert faiss_index.index_recall(faiss_index.flat_index(vectors, np.arange(9)), queries, 3) == 1


@pytest.mark.parametrize(("most", "kind"), [(30, "IndexFlatIP"), (29, "IndexHNSWFlat")])
def test_a_large_corpus_gets_a_graph(tmp_path, monkeypatch, most, kind):
    monkeypatch.setattr(faiss_index, "FLAT_DOCUMENTS", most)
    vectors = np.eye(5, dtype=np.float32)
    faiss_index.build_index(vectors, np.arange(30) % 5, tmp_path / "index", "auto")
    assert type(faiss_index.read_index(tmp_path / "index")).__name__ == kind


def test_gpu_search_of_a_corpus_compares_with_all_of_it(monkeypatch):
    vectors, of_document, _, queries = task([300], [0, 0, 0], seed=1, n_distinct=300)
    index = faiss_index.flat_index(vectors, of_document)

    def knn_gpu(resources, query, stored, k, metric):
        assert metric == faiss_index.faiss.METRIC_INNER_PRODUCT
        products = query @ stored.T
        order = np.argsort(-products, axis=1)[:, :k]
        return np.take_along_axis(products, order, axis=1), order

    expected = [rows.tolist() for rows, _ in faiss_index.retrieve_from_corpus(index, queries, 9)]
    monkeypatch.setattr(faiss_index.faiss, "get_num_gpus", lambda: 1)
    monkeypatch.setattr(faiss_index.faiss, "StandardGpuResources", lambda: None, raising=False)
    monkeypatch.setattr(faiss_index.faiss, "knn_gpu", knn_gpu, raising=False)
    monkeypatch.setattr(index, "search", None)
    found = [rows.tolist() for rows, _ in faiss_index.retrieve_from_corpus(index, queries, 9)]
    assert found == expected


def test_candidates_that_are_none_come_last_and_are_cut():
    stored = np.array([[1.0, 0], [0, 1], [1, 0], [2, 0]], dtype=np.float32)
    rows = np.array([[2, -1, 0, -1], [3, 1, 0, 2]])
    vectors = np.array([[1.0, 0], [1, 0]], dtype=np.float32)
    few, all_ = faiss_index._exactly(stored, vectors, rows, 3)
    assert (few[0].tolist(), few[1].tolist()) == ([0, 2], [1, 1])
    assert (all_[0].tolist(), all_[1].tolist()) == ([3, 0, 2], [2, 1, 1])
    assert few[1].dtype == np.float64
