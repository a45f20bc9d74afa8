"""The tables that every kind of task is read into: `queries.parquet` and `documents.parquet`."""

import pyarrow as pa

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
#: Key of the metadata of `queries.parquet`: JSON of what a reader of results must know.
#: `empty_profiles`: how many queries have no documents to search. `dropped`: by kind of record, how
#: many were left out, and of how many.
RECORDS = "records"
