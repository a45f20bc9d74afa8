import pyarrow as pa
import pytest

from quantrag.retrieval.settings import LuceneSettings
from quantrag.retrieval.text import document_texts, query_texts

DOCUMENTS = pa.table({"text": ["an abstract"], "target": ["A Title"]})


@pytest.mark.parametrize(
    ("choice", "text"),
    [("text", "an abstract"), ("target_and_text", "A Title an abstract")],
)
def test_the_searched_text(choice, text):
    assert document_texts(DOCUMENTS, choice).to_pylist() == [text]


def test_queries_search_with_their_text():
    queries = pa.table({"query_text": pa.chunked_array([["a"], ["b"]])})
    assert query_texts(queries).to_pylist() == ["a", "b"]


def test_the_former_name_of_the_tasks_choice_still_works():
    assert LuceneSettings(kind="lucene", document_text="lamp").document_text == "task"
    assert LuceneSettings(kind="lucene").document_text == "task"


@pytest.mark.slow
def test_more_text_than_a_string_array_holds():
    """2 GiB are the most of one `string` array; a table of a task may have more."""
    chunk = pa.array(["x" * 2**26] * 4, pa.string())
    column = pa.chunked_array([chunk] * 9)
    texts = document_texts(pa.table({"text": column, "target": column}), "text")
    assert len(texts) == 36
    assert texts.nbytes > 2**31
