"""A corpus becomes the table that its questions search, or one line says why not."""

import json

import pytest

from handbook import LEAVE, PAY, QUESTIONS, read, read_tables, write_handbook, write_lines
from quantrag.errors import UserError
from quantrag.tasks import questions
from quantrag.tasks.schemas import CUT, RECORDS
from quantrag.tasks.settings import QuestionsTask
from quantrag.tasks.task import CORPUS


def read_corpus(entry, **changes):
    full = QuestionsTask.model_validate({**entry, **changes}).model_dump()
    return questions.read(questions.reading(full, CORPUS), questions.input_files(full, CORPUS))


def test_documents_stay_whole_where_nothing_is_cut(tmp_path):
    queries, documents = read(write_handbook(tmp_path), passages=None)
    found = [(d["document_id"], d["text"], d["target"]) for d in documents]
    assert found == [("leave.md", LEAVE, "Leave"), ("pay.md", PAY, "Pay")]
    assert queries[0]["evidence"] == ["leave.md"]


def test_a_corpus_without_text_is_an_error(tmp_path):
    entry = write_handbook(tmp_path)
    for page in ("leave.md", "pay.md"):
        (tmp_path / "handbook" / page).write_text("\n")
    # That no evidence is in it follows from this.
    with pytest.raises(UserError, match=r"handbook/\*\.md: the corpus is empty"):
        read(entry)


def test_only_documents_are_read_and_what_they_are_is_said(tmp_path):
    entry = write_handbook(tmp_path)
    (tmp_path / "questions.jsonl").write_text("no questions at all")
    for passages, cut in (({"tokens": 16}, True), (None, False)):
        [(name, documents)] = read_corpus(entry, passages=passages).items()
        assert name == "documents"
        assert json.loads(documents.schema.metadata[CUT.encode()]) is cut
        assert len(documents) == (3 if cut else 2)


def test_wrong_documents_stop_the_job_or_are_counted(tmp_path):
    rows = [{"id": n, "text": f"text {n}"} for n in range(30)]
    rows[4]["text"] = 7
    corpus = {"table": str(write_lines(tmp_path / "d.jsonl", rows))}
    entry = {**write_handbook(tmp_path, QUESTIONS[1:]), "corpus": corpus}
    with pytest.raises(UserError, match=r'd\.jsonl, line 5: document "4": text: a string'):
        read_corpus(entry)
    documents = read_corpus(entry, invalid_records="drop")["documents"]
    records = json.loads(documents.schema.metadata[RECORDS.encode()])
    assert records == {"dropped": {"documents": [1, 30]}}
    full = QuestionsTask.model_validate({**entry, "invalid_records": "drop"}).model_dump()
    queries, _ = read_tables(full)
    # Of questions none was dropped.
    assert json.loads(queries.schema.metadata[RECORDS.encode()])["dropped"] == records["dropped"]
