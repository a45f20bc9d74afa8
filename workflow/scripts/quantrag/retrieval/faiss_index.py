"""Exact dense search inside scopes: a flat FAISS index in scope order, searched by range."""

import logging
from collections.abc import Iterator
from pathlib import Path

import faiss
import numpy as np
from tqdm import tqdm

from quantrag.retrieval.runs import ranking
from quantrag.retrieval.scopes import Scopes
from quantrag.tables import atomic_path

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 50_000
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
            stored[start : start + len(part)] = vectors[part]
    return index


def _stored(index: faiss.IndexFlatIP) -> np.ndarray:
    """The vectors inside an index, not a copy: float32 of shape (documents, dimension)."""
    values = faiss.rev_swig_ptr(index.get_xb(), index.ntotal * index.d)
    return values.reshape(index.ntotal, index.d)


def build_index(vectors: np.ndarray, of_document: np.ndarray, path: str | Path) -> None:
    """Write the index of `flat_index` to a file."""
    with atomic_path(path) as temporary:
        faiss.write_index(flat_index(vectors, of_document), str(temporary))


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
