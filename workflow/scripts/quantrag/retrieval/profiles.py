"""Profiles as slices: each user's documents are one contiguous range of rows."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quantrag.errors import UserError


@dataclass(frozen=True)
class Profiles:
    """Where each user's documents lie, and whose profile each query searches.

    Attributes:
        bounds: int64 of shape (users + 1,); user u has the rows bounds[u]:bounds[u + 1].
        of_query: int64 of shape (queries,); number of the query's user, -1 if it has no documents.
    """

    bounds: np.ndarray
    of_query: np.ndarray

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @property
    def n_documents(self) -> int:
        """Number of documents of all users."""
        return int(self.bounds[-1])

    def slice_of(self, query: int) -> tuple[int, int]:
        """First row, and the row after the last, of the documents that a query searches."""
        user = self.of_query[query]
        return (0, 0) if user < 0 else (int(self.bounds[user]), int(self.bounds[user + 1]))

    def sizes(self) -> np.ndarray:
        """Number of documents of each user, int64."""
        return np.diff(self.bounds)

    def user_of_document(self) -> np.ndarray:
        """Number of each document's user, int64 of shape (documents,)."""
        return np.repeat(np.arange(len(self)), self.sizes())


def profiles_of(queries: pa.Table, documents: pa.Table) -> Profiles:
    """Find the profiles in a task's tables.

    Args:
        queries: table with the column `user_id`.
        documents: table with the column `user_id`, each user's rows together.

    Raises:
        UserError: a user's documents are not contiguous.
    """
    encoded = documents["user_id"].combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    if len(starts) != len(encoded.dictionary):
        # Codes are given in the order of first appearance, so a second run shows as a step back.
        row = int(np.flatnonzero(np.diff(codes) < 0)[0]) + 1
        user = documents["user_id"][row].as_py()
        raise UserError(
            f"documents, row {row}: user {user!r} appears again after another user's documents. "
            "A user's documents must be in adjacent rows."
        )
    of_query = pc.index_in(queries["user_id"].combine_chunks(), value_set=encoded.dictionary)
    return Profiles(
        bounds=np.append(starts, len(codes)).astype(np.int64),
        of_query=pc.fill_null(of_query, -1).to_numpy(zero_copy_only=False).astype(np.int64),
    )
