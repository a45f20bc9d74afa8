"""Orders that look at no text: LaMP's baselines `recency` and `random`."""

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np

from quantrag.errors import UserError
from quantrag.retrieval.runs import best_first, ranking
from quantrag.retrieval.scopes import Scopes


def recency_scores(dates: Sequence[str], sizes: np.ndarray) -> np.ndarray:
    """How many of the scope's documents are older than each document, float64.

    Of two documents of one date the later in the file counts as the newer, as in LaMP, so that a
    profile without dates is ranked last document first.

    Args:
        dates: ISO dates (`2019-06-01`, `2019`) of all documents, empty where unknown, which counts
            as older than every date.
        sizes: number of documents of each scope, in order.
    """
    scope = np.repeat(np.arange(len(sizes)), sizes)
    _, age = np.unique(np.asarray(dates, dtype=object), return_inverse=True)
    order = np.lexsort((age, scope))
    scores = np.empty(len(scope))
    scores[order] = np.arange(len(scope)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return scores


def random_scores(query_id: str, size: int, seed: int) -> np.ndarray:
    """A random permutation of 0 ... size - 1 that depends on the query's id and the seed alone."""
    return _generator(query_id, seed).permutation(size).astype(np.float64)


def _generator(query_id: str, seed: int) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}\n{query_id}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def retrieve(
    by: str,
    query_ids: Sequence[str],
    dates: Sequence[str],
    scopes: Scopes,
    *,
    seed: int,
    depth: int | None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rank each query's scope: rows (int64) and scores (float64), best first.

    Args:
        by: `recency` or `random`.
        query_ids: id of each query.
        dates: date of each document, see `recency_scores`.
        scopes: the slices of the documents that queries search.
        seed: of `random`.
        depth: how many documents to keep; None keeps all.
    """
    ages = recency_scores(dates, scopes.sizes()) if by == "recency" else None
    for query, query_id in enumerate(query_ids):
        start, stop = scopes.slice_of(query)
        drawn = random_scores(query_id, stop - start, seed) if ages is None else ages[start:stop]
        yield ranking(start, drawn, depth)


def retrieve_from_corpus(
    by: str, query_ids: Sequence[str], dates: Sequence[str], *, seed: int, depth: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Documents of a corpus for each query: rows (int64) and scores (float64), best first.

    Args:
        by: `recency` (the same for all queries) or `random` (drawn anew for each; the scores only
            say the order).
        query_ids, dates, seed: as `retrieve` takes them.
        depth: how many documents.

    Raises:
        UserError: no document has a date, which `recency` needs. (The order of a corpus's documents
            says nothing of their age.)
    """
    size = len(dates)
    depth = min(depth, size)
    if by == "random":
        for query_id in query_ids:
            rows = _generator(query_id, seed).choice(size, depth, replace=False)
            yield rows, np.arange(depth, 0, -1, dtype=np.float64)
        return
    if not any(dates):
        raise UserError(
            "by: recency needs the documents' dates, and none of this corpus has one. "
            "Take by: random, or leave the retriever out."
        )
    ages = recency_scores(dates, np.array([size]))
    newest = best_first(ages)[:depth]
    for _ in query_ids:
        yield newest, ages[newest]
