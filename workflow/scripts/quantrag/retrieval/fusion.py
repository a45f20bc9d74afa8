"""Reciprocal rank fusion: several rankings of the same documents become one.

A document's score is the sum of 1 / (k + rank) over the rankings that have it. Source: Cormack,
Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
Methods" (SIGIR 2009).
"""

from collections.abc import Iterator, Sequence

import numpy as np

from quantrag.retrieval.runs import best_first


def fuse(
    rankings: Sequence[Sequence[np.ndarray]], *, k: float, depth: int | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Fuse each query's rankings: rows (int64) and scores (float64), best first, in query order.

    Args:
        rankings: of each retriever, for each query, the rows of the documents, best first.
        k: how much the first ranks stand out; the larger, the less.
        depth: how many documents of each ranking to keep; None keeps all.
    """
    for own in zip(*rankings, strict=True):
        found = np.concatenate(own)
        shares = np.concatenate([1 / (k + 1 + np.arange(len(rows))) for rows in own])
        # Smallest first, so that the same ranks, given by whichever retriever, have the same sum.
        order = np.argsort(shares, kind="stable")
        rows, place = np.unique(found[order], return_inverse=True)
        scores = np.bincount(place, weights=shares[order], minlength=len(rows))
        best = best_first(scores)[:depth]
        yield rows[best], scores[best]
