"""Runs: rankings as a table, and as the file that TREC tools read."""

import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quantrag.retrieval.scopes import rows_of, scopes_of
from quantrag.tables import atomic_path

SCHEMA = pa.schema(
    [
        ("query_id", pa.string()),
        ("rank", pa.int32()),
        ("document_id", pa.string()),
        ("score", pa.float64()),
    ]
)
#: Key of the metadata of a run from a corpus: the share of the best documents that its index finds.
INDEX_RECALL = "index_recall"


def best_first(scores: np.ndarray) -> np.ndarray:
    """Positions by falling score; equal scores keep the scope's order.

    This is the project's one rule for ties: it depends on nothing but the input, where LaMP's
    reversed `argsort` depends on the machine's sorting code.
    """
    return np.argsort(-np.asarray(scores), kind="stable")


def ranking(start: int, scores: np.ndarray, depth: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Rank one scope.

    Args:
        start: row of the scope's first document.
        scores: score of each of the scope's documents.
        depth: how many to keep; None keeps all.

    Returns:
        Rows of the documents (int64) and their scores (float64), best first.
    """
    order = best_first(scores)[:depth]
    return start + order, np.asarray(scores, dtype=np.float64)[order]


def run_table(
    query_ids: pa.Array | pa.ChunkedArray,
    document_ids: pa.Array | pa.ChunkedArray,
    rankings: Iterable[tuple[np.ndarray, np.ndarray]],
) -> pa.Table:
    """Assemble a run.

    Args:
        query_ids: id of each query.
        document_ids: id of each row of the documents.
        rankings: for each query, in order: rows of the documents and their scores, best first.

    Returns:
        A table with the schema `SCHEMA`, sorted by query, then rank. A query without documents has
        no rows.
    """
    rows, scores, lengths = [], [], []
    for found, score in rankings:
        rows.append(found)
        scores.append(score)
        lengths.append(len(found))
    if len(lengths) != len(query_ids):
        raise ValueError(f"{len(lengths)} rankings for {len(query_ids)} queries")
    lengths = np.array(lengths, dtype=np.int64)
    first = np.repeat(np.cumsum(lengths) - lengths, lengths)
    ranks = np.arange(len(first), dtype=np.int64) - first + 1
    columns = [
        query_ids.take(pa.array(np.repeat(np.arange(len(lengths)), lengths))),
        ranks.astype(np.int32),
        document_ids.take(
            pa.array(np.concatenate([*rows, np.empty(0, np.int64)]).astype(np.int64))
        ),
        np.concatenate([*scores, np.empty(0)]).astype(np.float64),
    ]
    return pa.Table.from_arrays(
        [_plain(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)],
        schema=SCHEMA,
    )


def rankings_of(run: pa.Table, queries: pa.Table, documents: pa.Table) -> list[np.ndarray]:
    """What `run_table` made a run of: rows (int64) of each query's documents, best first.

    Args:
        run: of these queries over these documents.
        queries: table with `query_id` and `scope_id`.
        documents: table with `document_id` and `scope_id`.
    """
    query = pc.index_in(run["query_id"], value_set=queries["query_id"].combine_chunks())
    return rows_of(
        scopes_of(queries, documents),
        documents["document_id"],
        query.to_numpy().astype(np.int64),
        run["document_id"],
    )


def _plain(column: pa.Array | pa.ChunkedArray | np.ndarray, kind: pa.DataType) -> pa.ChunkedArray:
    column = pa.array(column) if isinstance(column, np.ndarray) else column
    return column.cast(kind)


def write_trec(run: pa.Table, path: str | Path, tag: str) -> None:
    """Write a run in TREC's format: `query Q0 document rank score tag`, one line each.

    Scores are written so that they read back exactly. `trec_eval` sorts by score and breaks ties by
    document id, so tied documents may be ranked there in another order than here. White space in
    ids (of files, of articles) and the sign % are percent-encoded, since fields end at white space.
    """
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as stream:
        for batch in run.to_batches(max_chunksize=100_000):
            columns = [batch[name].to_pylist() for name in SCHEMA.names]
            for query, rank, document, score in zip(*columns, strict=True):
                ids = f"{_encoded(query)} Q0 {_encoded(document)}"
                stream.write(f"{ids} {rank} {score!r} {tag}\n")


def _encoded(identifier: str) -> str:
    return re.sub(r"[\s%]", lambda found: quote(found[0]), identifier)
