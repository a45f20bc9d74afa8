"""The documents that hold the answer, as if a retriever had found them: the bound of retrieval."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quantrag.retrieval.scopes import rows_of, scopes_of


def rows(queries: pa.Table, documents: pa.Table) -> list[np.ndarray]:
    """Rows (int64) of the documents that hold each query's answer, empty where that isn't known.

    Args:
        queries: table with `scope_id` and `evidence`.
        documents: table with `document_id` and `scope_id`.
    """
    evidence = queries["evidence"].combine_chunks()
    return rows_of(
        scopes_of(queries, documents),
        documents["document_id"],
        pc.list_parent_indices(evidence).to_numpy().astype(np.int64),
        pa.chunked_array([pc.list_flatten(evidence)]),
    )


def retrieve(
    evidence: Sequence[np.ndarray], distractors: Sequence[np.ndarray] | None, depth: int | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rank each query's evidence first: rows (int64) and scores (float64), in query order.

    The scores only say the order.

    Args:
        evidence: for each query the rows of the documents that hold its answer, empty where that
            isn't known.
        distractors: for each query the rows of the documents that follow, best first; None: none.
        depth: how many documents of each ranking to keep; None keeps all.
    """
    for query, own in enumerate(evidence):
        others = np.empty(0, np.int64) if distractors is None else distractors[query]
        rows = np.concatenate([own, others[~np.isin(others, own)]])[:depth]
        yield rows, np.arange(len(rows), 0, -1, dtype=np.float64)
