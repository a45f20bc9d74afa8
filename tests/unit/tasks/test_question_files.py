"""The files of a task of kind `questions` are known, and missed, before any work starts."""

import re

import pytest

from handbook import write_handbook
from quantrag.errors import UserError
from quantrag.tasks.question_files import corpus_files, question_files
from quantrag.tasks.settings import QuestionsTask


@pytest.fixture
def entry(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_handbook(tmp_path)


def files(entry, **changes):
    full = QuestionsTask.model_validate({**entry, **changes}).model_dump()
    return corpus_files(full) | question_files(full)


def test_every_page_is_an_input(entry, tmp_path):
    corpus = {"files": "handbook/**/*.md"}
    assert files(entry, corpus=corpus, questions={"file": "questions.jsonl"}) == {
        "corpus": ["handbook/leave.md", "handbook/pay.md"],
        "questions": ["questions.jsonl"],
    }


def test_the_tokenizers_folder_is_one_unless_it_is_in_a_package(entry):
    hub = {"kind": "huggingface", "repo": "a/b", "revision": "main"}
    found = files(entry, passages={"tokenizer": hub})
    assert found["tokenizer"] == ["<resources>/encoders/a--b--main"]
    found = files(entry, passages={"tokenizer": {"kind": "folder", "folder": "tokenizer"}})
    assert found["tokenizer"] == ["tokenizer"]
    assert "tokenizer" not in files(entry, passages=None)


def test_files_of_beir_and_of_a_data_set_in_a_folder(entry, tmp_path):
    for name in ("b/corpus.jsonl", "b/queries.jsonl", "b/qrels/dev.tsv", "data/x/a.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = files(entry, corpus={"beir": "b"}, questions={"beir": "b", "split": "dev"})
    assert found["corpus"] == ["b/corpus.jsonl"]
    assert found["questions"] == ["b/queries.jsonl", "b/qrels/dev.tsv"]
    assert files(entry, corpus={"dataset": {"path": "data"}})["corpus"] == ["data/x/a.csv"]
    hub = {"path": "owner/name", "revision": "0123abc"}
    assert "corpus" not in files(entry, corpus={"dataset": hub})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"corpus": {"files": "hand/*.md"}}, "corpus.files: 'hand/*.md' matches no file."),
        (
            {"corpus": {"files": "handbook"}},
            "corpus.files: 'handbook' matches no file (did you mean 'handbook/**/*.md'?).",
        ),
        ({"corpus": {"table": "a.xlsx"}}, "corpus.table: a.xlsx: unknown kind of table. Allowed: "),
        ({"corpus": {"table": "a.csv"}}, "corpus.table: a.csv: no such file."),
        ({"corpus": {"squad": "a.json"}}, "corpus.squad: a.json: no such file."),
        ({"questions": {"beir": "b"}}, "questions.beir: b/queries.jsonl: no such file."),
        (
            {"questions": {"dataset": {"path": "owner/name"}}},
            "questions.dataset: owner/name is not a folder here, and a data set on the Hub needs a "
            "revision",
        ),
    ],
)
def test_what_is_not_there_is_named_with_its_key(entry, changes, message):
    with pytest.raises(UserError, match=re.escape(message)):
        files(entry, **changes)
