"""Exact dense search inside profiles: a flat FAISS index in user order, searched by range."""

import logging
from collections.abc import Iterator
from pathlib import Path

import faiss
import numpy as np
from tqdm import tqdm

from quantrag.retrieval.profiles import Profiles
from quantrag.retrieval.runs import ranking
from quantrag.tables import atomic_path

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 50_000


def build_index(vectors: np.ndarray, of_document: np.ndarray, path: str | Path) -> None:
    """Write a flat inner-product index with one vector per document.

    Args:
        vectors: float32 of shape (distinct texts, dimension); may be memory-mapped.
        of_document: row in `vectors` of each document.
        path: file to write.
    """
    dimension = vectors.shape[1]
    index = faiss.IndexFlatIP(dimension)
    # Filled in place: adding in parts makes FAISS reallocate and hold up to three copies.
    index.codes.resize(len(of_document) * dimension * 4)
    index.ntotal = len(of_document)
    if len(of_document):
        stored = faiss.rev_swig_ptr(index.get_xb(), len(of_document) * dimension)
        stored = stored.reshape(len(of_document), dimension)
        for start in range(0, len(of_document), ROWS_AT_ONCE):
            part = of_document[start : start + ROWS_AT_ONCE]
            stored[start : start + len(part)] = vectors[part]
    with atomic_path(path) as temporary:
        faiss.write_index(index, str(temporary))


def read_index(path: str | Path) -> faiss.Index:
    """The index, memory-mapped."""
    return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)


def retrieve(
    index: faiss.Index, query_vectors: np.ndarray, profiles: Profiles, depth: int | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rank each query's profile by dot product: rows (int64) and scores (float64), best first.

    Args:
        index: one vector per document, in the order of the documents.
        query_vectors: float32 of shape (queries, dimension).
        profiles: the users' slices of the documents.
        depth: how many documents to keep; None keeps all.
    """
    for query in tqdm(range(len(query_vectors)), desc="search", unit=" queries", mininterval=5):
        start, stop = profiles.slice_of(query)
        scores = np.zeros(stop - start)
        if stop > start:
            wanted = faiss.SearchParameters(sel=faiss.IDSelectorRange(start, stop, True))
            found, rows = index.search(
                query_vectors[query : query + 1], stop - start, params=wanted
            )
            if np.any((rows < start) | (rows >= stop)):
                raise RuntimeError(f"FAISS returned a row outside {start}:{stop}")
            scores[rows[0] - start] = found[0]
        yield ranking(start, scores, depth)
