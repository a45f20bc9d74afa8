"""Which text of a document is searched, and for what."""

import pyarrow as pa
import pyarrow.compute as pc


def document_texts(documents: pa.Table, choice: str) -> pa.Array:
    """The text by which each document is found.

    Args:
        documents: table with the string columns `text` and `target`.
        choice: `text` (abstract, review: without title or rating) or `target_and_text` (title
            first, joined by a space).

    Returns:
        One `large_string` per document, in the table's order.
    """
    text = _large(documents["text"])
    if choice == "text":
        return text
    target = _large(documents["target"])
    return pc.binary_join_element_wise(target, text, pa.scalar(" ", pa.large_string()))


def query_texts(queries: pa.Table) -> pa.Array:
    """The text that each query searches for: its input without the data set's instruction."""
    return _large(queries["query_text"])


def _large(column: pa.ChunkedArray) -> pa.Array:
    """One array of all texts: cast first, because a `string` array holds at most 2 GiB."""
    return pc.cast(column, pa.large_string()).combine_chunks()
