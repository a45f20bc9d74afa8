"""Which text of a document is searched, and for what."""

import pyarrow as pa
import pyarrow.compute as pc

# LaMP's `rank_profiles.py` joins title and text with a space in these tasks, elsewhere it takes the
# text alone (https://github.com/LaMP-Benchmark/LaMP, `*_corpus_maker` in `prompts/utils.py`).
LAMP_TASKS_WITH_TITLE = frozenset({1, 4, 5})


def document_texts(documents: pa.Table, choice: str, lamp: int) -> pa.Array:
    """The text by which each document is found.

    Args:
        documents: table with the string columns `text` and `target`.
        choice: `text` (abstract, review: without title or rating), `target_and_text` (title first,
            joined by a space), or `lamp` (what LaMP does for the task).
        lamp: number of the LaMP task, 1 to 7.

    Returns:
        One `large_string` per document, in the table's order.
    """
    text = pc.cast(documents["text"].combine_chunks(), pa.large_string())
    with_target = choice == "target_and_text" or (
        choice == "lamp" and lamp in LAMP_TASKS_WITH_TITLE
    )
    if not with_target:
        return text
    target = pc.cast(documents["target"].combine_chunks(), pa.large_string())
    return pc.binary_join_element_wise(target, text, pa.scalar(" ", pa.large_string()))


def query_texts(queries: pa.Table) -> pa.Array:
    """The text that each query searches for: LaMP's input without its instruction."""
    return pc.cast(queries["query_text"].combine_chunks(), pa.large_string())
