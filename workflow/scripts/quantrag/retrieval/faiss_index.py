"""Dense search with FAISS: exact inside scopes, by range; of a corpus the best documents.

A flat index, in the order of the documents, compares a query with every document. Of a corpus an
HNSW graph (Malkov and Yashunin 2018, arXiv 1603.09320) can be laid over it, which finds most of the
best documents without looking at all: how many is measured (`index_recall`).
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import faiss
import numpy as np
from tqdm import tqdm

from quantrag.retrieval.runs import ranking
from quantrag.retrieval.scopes import Scopes
from quantrag.tables import atomic_path

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 50_000
QUERIES_AT_ONCE = 1_024
# Results beside those asked for, among which a tie at the cut mostly ends.
SPARE_RESULTS = 16
# Largest relative difference of scores that FAISS's order of summation makes.
ROUNDING = 1e-5
# `index: auto` is flat up to so many documents. Comparing every query with each of them takes less
# time than building a graph does, unless there are more queries than any experiment has.
FLAT_DOCUMENTS = 1_000_000
# Neighbours of a document in the graph; candidates while it is built, and while it is searched.
HNSW_NEIGHBOURS, HNSW_BUILDING, HNSW_SEARCHING = 32, 200, 256
# Queries on which the recall of a graph is measured.
RECALL_SAMPLE = 200
# FAISS's limit of k on a GPU; larger scopes are searched on the CPU.
GPU_MOST_RESULTS = 2_048


def flat_index(vectors: np.ndarray, of_document: np.ndarray) -> faiss.IndexFlatIP:
    """A flat inner-product index with one vector per document.

    Args:
        vectors: float32 of shape (distinct texts, dimension); may be memory-mapped.
        of_document: row in `vectors` of each document.
    """
    dimension = vectors.shape[1]
    index = faiss.IndexFlatIP(dimension)
    # Filled in place: adding in parts makes FAISS reallocate and hold up to three copies.
    index.codes.resize(len(of_document) * dimension * 4)
    index.ntotal = len(of_document)
    if len(of_document):
        stored = _stored(index)
        for start in range(0, len(of_document), ROWS_AT_ONCE):
            part = of_document[start : start + ROWS_AT_ONCE]
            place, first = stored[start : start + len(part)], part[0]
            if np.array_equal(part, np.arange(first, first + len(part))):
                # Every document has its own text: one block copy is faster than row by row.
                place[:] = vectors[first : first + len(part)]
            else:
                # "clip", which no row needs, writes in place; numpy's default copies once more.
                np.take(vectors, part, axis=0, out=place, mode="clip")
    return index


def _stored(index: faiss.Index) -> np.ndarray:
    """The vectors inside an index, not a copy: float32 of shape (documents, dimension)."""
    flat = _flat(index)
    values = faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d)
    return values.reshape(flat.ntotal, flat.d)


def _flat(index: faiss.Index) -> faiss.IndexFlat:
    """The flat index itself, or the one under a graph."""
    return faiss.downcast_index(index.storage) if _is_graph(index) else index


def _is_graph(index: faiss.Index) -> bool:
    return isinstance(index, faiss.IndexHNSW)


def graph_index(vectors: np.ndarray, of_document: np.ndarray) -> faiss.IndexHNSWFlat:
    """An HNSW graph over the documents' vectors, by inner product.

    Built by several threads it differs a little from time to time.

    Args:
        vectors, of_document: as `flat_index` takes them.
    """
    index = faiss.IndexHNSWFlat(vectors.shape[1], HNSW_NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = HNSW_BUILDING
    for start in tqdm(range(0, len(of_document), ROWS_AT_ONCE), desc="index", mininterval=5):
        index.add(vectors[of_document[start : start + ROWS_AT_ONCE]])
    return index


def build_index(
    vectors: np.ndarray, of_document: np.ndarray, path: str | Path, kind: str = "flat"
) -> None:
    """Write an index of the documents to a file.

    Args:
        vectors, of_document: as `flat_index` takes them.
        path: the file.
        kind: `flat`, `hnsw`, or `auto`: flat up to `FLAT_DOCUMENTS`.
    """
    if kind == "auto":
        kind = "flat" if len(of_document) <= FLAT_DOCUMENTS else "hnsw"
    log.info("index: %s", kind)
    build = {"flat": flat_index, "hnsw": graph_index}[kind]
    with atomic_path(path) as temporary:
        faiss.write_index(build(vectors, of_document), str(temporary))


def read_index(path: str | Path) -> faiss.Index:
    """The index, memory-mapped."""
    return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)


def retrieve(
    index: faiss.Index, query_vectors: np.ndarray, scopes: Scopes, depth: int | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rank each query's scope by dot product: rows (int64) and scores (float64), best first.

    A GPU is used if there is one and the installed FAISS can; its results differ from the CPU's by
    rounding alone.

    Args:
        index: one vector per document, in the order of the documents.
        query_vectors: float32 of shape (queries, dimension).
        scopes: the slices of the documents that queries search.
        depth: how many documents to keep; None keeps all.
    """
    on_gpu = faiss.get_num_gpus() > 0
    resources = faiss.StandardGpuResources() if on_gpu else None
    log.info("searching on the %s", "GPU" if on_gpu else "CPU")
    for query in tqdm(range(len(query_vectors)), desc="search", unit=" queries", mininterval=5):
        start, stop = scopes.slice_of(query)
        vector = query_vectors[query : query + 1]
        scores = np.zeros(stop - start)
        if on_gpu and 0 < stop - start <= GPU_MOST_RESULTS:
            found, places = _search_gpu(resources, index, vector, start, stop)
            scores[places] = found
        elif stop > start:
            found, places = _search_cpu(index, vector, start, stop)
            scores[places] = found
        yield ranking(start, scores, depth)


def _search_cpu(index: faiss.Index, vector: np.ndarray, start: int, stop: int):
    """Scores, and the places in the scope that they belong to."""
    wanted = faiss.SearchParameters(sel=faiss.IDSelectorRange(start, stop, True))
    found, rows = index.search(vector, stop - start, params=wanted)
    places = rows[0] - start
    if np.any((places < 0) | (places >= stop - start)):
        raise RuntimeError(f"FAISS returned a row outside {start}:{stop}")
    return found[0], places


def _search_gpu(resources, index: faiss.Index, vector: np.ndarray, start: int, stop: int):
    """As `_search_cpu`. GPU indexes take no range, so the scope's vectors are handed over."""
    own = _stored(index)[start:stop]
    found, places = faiss.knn_gpu(
        resources, vector, own, stop - start, metric=faiss.METRIC_INNER_PRODUCT
    )
    return found[0], places[0]


def retrieve_from_corpus(
    index: faiss.Index, query_vectors: np.ndarray, depth: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Find each query's best documents by dot product: rows (int64) and scores (float64).

    With a flat index these are exactly the best, and of equal scores the earlier rows, also where
    the ranking is cut. Scores depend on the two vectors alone: FAISS's own, which also depend on
    what else is computed with them, only choose the candidates.

    Args:
        index: one vector per document, in the order of the documents.
        query_vectors: float32 of shape (queries, dimension).
        depth: how many documents to find.
    """
    search, stored = _searcher(index), _stored(index)
    depth = min(depth, index.ntotal)
    for start in range(0, len(query_vectors), QUERIES_AT_ONCE):
        batch = query_vectors[start : start + QUERIES_AT_ONCE]
        results: list = [None] * len(batch)
        left, size = np.arange(len(batch)), depth + SPARE_RESULTS
        while len(left):
            size = min(size, index.ntotal)
            found, rows = search(batch[left], size)
            cuts = found[:, depth - 1]
            # A candidate that wasn't fetched may equal the last one that is kept.
            whole = found[:, -1] < cuts - ROUNDING * np.abs(cuts)
            whole |= (size == index.ntotal) | _is_graph(index)
            done = left[whole]
            for query, ranked in zip(
                done, _exactly(stored, batch[done], rows[whole], depth), strict=True
            ):
                results[query] = ranked
            left, size = left[~whole], 2 * size
        log.info("searched %d of %d queries", start + len(batch), len(query_vectors))
        yield from results


def _searcher(index: faiss.Index) -> Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]:
    """What finds, for queries, scores and rows of so many candidates each, best first."""
    if _is_graph(index):
        return lambda queries, size: index.search(
            queries, size, params=faiss.SearchParametersHNSW(efSearch=max(HNSW_SEARCHING, 2 * size))
        )
    if faiss.get_num_gpus() == 0:
        return index.search
    resources, stored = faiss.StandardGpuResources(), _stored(index)

    def on_gpu(queries: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
        if size > GPU_MOST_RESULTS:
            return index.search(queries, size)
        return faiss.knn_gpu(resources, queries, stored, size, metric=faiss.METRIC_INNER_PRODUCT)

    return on_gpu


def _exactly(
    stored: np.ndarray, vectors: np.ndarray, rows: np.ndarray, depth: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The best of some rows for each query, scored again; a row of -1 is none."""
    rows, vectors = np.sort(rows, axis=1), np.ascontiguousarray(vectors)
    scores = np.empty(rows.shape, dtype=np.float32)
    # Pair by pair: the order of summation in a product of matrices depends on their sizes.
    arrays = map(faiss.swig_ptr, (scores, vectors, stored, rows))
    n_queries, n_rows = rows.shape
    faiss.fvec_inner_products_by_idx(*arrays, stored.shape[1], n_queries, n_rows)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :depth]
    rows, scores = (np.take_along_axis(x, order, axis=1) for x in (rows, scores))
    # FAISS scores a row of -1 as minus infinity, so that it comes last.
    counts = np.count_nonzero(rows >= 0, axis=1)
    return [
        (own[:count], found[:count].astype(np.float64))
        for own, found, count in zip(rows, scores, counts, strict=True)
    ]


def index_recall(index: faiss.Index, query_vectors: np.ndarray, depth: int) -> float:
    """Share of the best documents that an index finds, over a sample of the queries.

    Args:
        index, query_vectors, depth: as `retrieve_from_corpus` takes them.

    Returns:
        The mean over up to `RECALL_SAMPLE` queries, evenly spaced; 1 for a flat index.
    """
    if not _is_graph(index) or not len(query_vectors):
        return 1.0
    step = -(-len(query_vectors) // RECALL_SAMPLE)
    sample = query_vectors[::step]
    ours, exact = (retrieve_from_corpus(one, sample, depth) for one in (index, _flat(index)))
    shares = [
        len(np.intersect1d(found, best)) / len(best)
        for (found, _), (best, _) in zip(ours, exact, strict=True)
    ]
    recall = float(np.mean(shares))
    log.info("recall of the graph against a flat index at %d documents: %.4f", depth, recall)
    return recall
