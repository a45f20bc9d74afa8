"""The tables that every kind of task is read into: `queries.parquet` and `documents.parquet`."""

import pyarrow as pa

#: Rows held as Python objects before they become an Arrow batch.
_BATCH = 20_000

#: `scope_id`: whose documents the query searches. `cluster_id`: what statistics resample together.
#: `input`: the whole input, with the data set's instruction where it has one; `query_text`: what is
#: searched for. `golds`: one or more; with several, the best one counts. `evidence`: ids of the
#: documents in the scope that hold the answer, empty where that isn't known. `metadata`: JSON of
#: what else is known of the query, by column, "{}" where that is nothing.
QUERIES = pa.schema(
    [
        *((name, pa.string()) for name in ("query_id", "scope_id", "cluster_id")),
        *((name, pa.string()) for name in ("input", "query_text")),
        ("golds", pa.list_(pa.string())),
        ("evidence", pa.list_(pa.string())),
        ("metadata", pa.string()),
    ]
)
#: A scope's documents are adjacent, and their ids unique in it. `target`: what a reader learns from
#: the document (title, tag, rating), empty where it has none. `date`: ISO, empty where unknown.
DOCUMENTS = pa.schema(
    [(name, pa.string()) for name in ("document_id", "scope_id", "text", "target", "date")]
)
#: Key of the metadata of `queries.parquet` (and of a corpus' documents, which have no
#: `empty_profiles`): JSON of what a reader of results must know.
#: `empty_profiles`: how many queries have no documents to search. `dropped`: by kind of record, how
#: many were left out, and of how many.
RECORDS = "records"
#: Key of the metadata of a corpus' `documents.parquet`: whether documents were cut, so that their
#: ids are those of passages (`quantrag.tasks.passages.passage_id`).
CUT = "cut"


class Rows:
    """Rows gathered as Arrow batches, which take a fraction of the memory of Python strings."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._rows: list[tuple[str | list[str], ...]] = []
        self._batches: list[pa.RecordBatch] = []

    def add(self, *row: str | list[str]) -> None:
        """Add a row, in the order of the schema."""
        self._rows.append(row)
        if len(self._rows) >= _BATCH:
            self._flush()

    def table(self) -> pa.Table:
        """All rows so far."""
        self._flush()
        return pa.Table.from_batches(self._batches, schema=self._schema)

    def _flush(self) -> None:
        if self._rows:
            columns = [
                pa.array(values, kind)
                for values, kind in zip(
                    zip(*self._rows, strict=True), self._schema.types, strict=True
                )
            ]
            self._batches.append(pa.record_batch(columns, schema=self._schema))
            self._rows = []
