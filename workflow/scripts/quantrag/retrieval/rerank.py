"""The first documents of a ranking in a new order: that of a model that reads query and document.

Source: Nogueira and Cho, "Passage Re-ranking with BERT" (2019, arXiv 1901.04085).
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from quantrag.retrieval.runs import best_first

PAIRS_AT_ONCE = 4_096


def rerank(
    score: Callable[[list[str], list[str]], np.ndarray],
    rankings: Sequence[np.ndarray],
    queries: Sequence[str],
    texts: pa.Array,
    *,
    depth: int,
    keep: int | None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rank each query's documents anew: rows (int64) and scores (float64), in query order.

    Documents behind the first `depth` follow in the order that they had, each with a score 1 below
    that of the one before.

    Args:
        score: relevance of pairs of query and document, float64; higher is better.
        rankings: for each query the rows of the documents, best first.
        queries: text of each query.
        texts: text of each document.
        depth: how many of each ranking's documents are read.
        keep: how many documents of each ranking to keep; None keeps all.
    """
    at_once = max(1, PAIRS_AT_ONCE // depth)
    with tqdm(total=len(queries), desc="rerank", unit=" queries", mininterval=5) as progress:
        for start in range(0, len(queries), at_once):
            chunk = range(start, min(start + at_once, len(queries)))
            # In the order of the rows, which decides ties.
            first = [np.sort(rankings[query][:depth]) for query in chunk]
            asked = [queries[query] for query, rows in zip(chunk, first, strict=True) for _ in rows]
            read = texts.take(pa.array(np.concatenate(first).astype(np.int64))).to_pylist()
            ends = np.cumsum([len(rows) for rows in first])
            found = np.split(score(asked, read), ends[:-1])
            for query, rows, scores in zip(chunk, first, found, strict=True):
                best = best_first(scores)
                rest = rankings[query][depth:]
                below = scores.min(initial=np.inf) - np.arange(1, len(rest) + 1)
                yield (
                    np.concatenate([rows[best], rest])[:keep],
                    np.concatenate([scores[best], below])[:keep],
                )
            progress.update(len(chunk))
