"""Scopes as slices: the documents that a query may search are one contiguous range of rows.

A scope is one user's profile, or a corpus that all queries share: then there is only one.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quantrag.errors import UserError


@dataclass(frozen=True)
class Scopes:
    """Where each scope's documents lie, and which of them each query searches.

    Attributes:
        bounds: int64 of shape (scopes + 1,); scope s has the rows bounds[s]:bounds[s + 1].
        of_query: int64 of shape (queries,); number of the query's scope, -1 if it has no documents.
    """

    bounds: np.ndarray
    of_query: np.ndarray

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def slice_of(self, query: int) -> tuple[int, int]:
        """First row, and the row after the last, of the documents that a query searches."""
        scope = self.of_query[query]
        return (0, 0) if scope < 0 else (int(self.bounds[scope]), int(self.bounds[scope + 1]))

    def sizes(self) -> np.ndarray:
        """Number of documents of each scope, int64."""
        return np.diff(self.bounds)


def scopes_of(queries: pa.Table, documents: pa.Table) -> Scopes:
    """Find the scopes in a task's tables.

    Args:
        queries: table with the column `scope_id`.
        documents: table with the column `scope_id`, each scope's rows together.

    Raises:
        UserError: a scope's documents are not contiguous.
    """
    encoded = documents["scope_id"].combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    if len(starts) != len(encoded.dictionary):
        # Codes are given in the order of first appearance, so a second run shows as a step back.
        row = int(np.flatnonzero(np.diff(codes) < 0)[0]) + 1
        scope = documents["scope_id"][row].as_py()
        raise UserError(
            f"documents, row {row}: scope {scope!r} appears again after another scope's documents. "
            "A scope's documents must be in adjacent rows."
        )
    of_query = pc.index_in(queries["scope_id"].combine_chunks(), value_set=encoded.dictionary)
    return Scopes(
        bounds=np.append(starts, len(codes)).astype(np.int64),
        of_query=pc.fill_null(of_query, -1).to_numpy(zero_copy_only=False).astype(np.int64),
    )


def rows_of(
    scopes: Scopes, document_ids: pa.ChunkedArray, query: np.ndarray, ids: pa.ChunkedArray
) -> list[np.ndarray]:
    """Rows of the documents that are named for each query, in the order in which they are.

    Args:
        scopes: of the queries and documents.
        document_ids: id of each document; in another scope it may be another document's too.
        query: int64, number of the query that each of `ids` is named for, in ascending order.
        ids: ids of documents in the scopes of these queries.

    Returns:
        int64 for each query, empty where none is named.
    """
    encoded = document_ids.combine_chunks().dictionary_encode()
    known = len(encoded.dictionary)
    owner = np.repeat(np.arange(len(scopes)), scopes.sizes())
    keys = owner * known + encoded.indices.to_numpy(zero_copy_only=False)
    order = np.argsort(keys)
    codes = pc.index_in(ids, value_set=encoded.dictionary).fill_null(-1).to_numpy()
    wanted = scopes.of_query[query] * known + codes
    places = np.minimum(np.searchsorted(keys[order], wanted), max(len(keys) - 1, 0))
    rows = order[places] if len(wanted) else np.empty(0, np.int64)
    wrong = (codes < 0) | (scopes.of_query[query] < 0) | (keys[rows] != wanted)
    if np.any(wrong):
        raise ValueError(f"no document {ids[int(np.flatnonzero(wrong)[0])]} in its query's scope")
    return np.split(rows, np.cumsum(np.bincount(query, minlength=len(scopes.of_query)))[:-1])
