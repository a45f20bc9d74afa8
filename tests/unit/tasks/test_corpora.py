"""The documents of a corpus, whatever they are read from."""

import pytest

from handbook import LEAVE, write_handbook, write_lines
from quantrag.tasks.corpora import Document, read_documents
from quantrag.tasks.records import Problems
from quantrag.tasks.settings import Corpus


def documents(paths, problems=None, **source):
    problems = Problems() if problems is None else problems
    section = Corpus.model_validate(source).model_dump()
    return list(read_documents(section, [str(path) for path in paths], problems))


def test_files_have_their_first_heading_as_title_or_their_name(tmp_path):
    pattern = write_handbook(tmp_path)["corpus"]["files"].replace("*.md", "*")
    paths = [tmp_path / "handbook" / name for name in ("leave.md", "plain.txt", "empty.md")]
    paths[1].write_text("# no heading in plain text")
    paths[2].write_text(" \n")
    assert documents(paths, files=pattern) == [
        Document("leave.md", "Leave", LEAVE, str(paths[0]), markdown=True),
        Document("plain.txt", "plain", "# no heading in plain text", str(paths[1])),
    ]


def test_a_table_has_columns_of_the_usual_names_or_others(tmp_path):
    rows = [{"_id": 1, "text": "a", "title": "A"}, {"_id": "2", "text": "b"}]
    path = write_lines(tmp_path / "a.jsonl", rows)
    assert [d[:3] for d in documents([path], table="a.jsonl")] == [("1", "A", "a"), ("2", "", "b")]
    rows = [{"key": "x", "body": "a", "text": "not this"}]
    path = write_lines(tmp_path / "b.jsonl", rows)
    [found] = documents([path], table="b.jsonl", columns={"id": "key", "text": "body"})
    assert found[:3] == ("x", "", "a")


def test_a_document_with_only_a_title_says_that_and_one_without_either_is_left_out(tmp_path):
    rows = [
        {"id": n, "text": text, "title": title}
        for n, (text, title) in enumerate([("", "Only"), (None, "None"), ("", ""), ("a", None)])
    ]
    path = write_lines(tmp_path / "corpus.jsonl", rows)
    found = documents([path], beir=str(tmp_path))
    assert [d[:3] for d in found] == [("0", "", "Only"), ("1", "", "None"), ("3", "", "a")]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "b"}, "line 2: id: a string is expected, found no such key"),
        ({"id": "a", "text": "b"}, 'line 2: document "a": an earlier one has the same id'),
        (
            {"id": "b", "text": 3},
            'line 2: document "b": text: a string is expected, found',
        ),
        ({"id": "b", "text": " \t"}, 'line 2: document "b": text is empty'),
        ({"id": "b", "text": "\ud800"}, 'document "b": text contains half of a surrogate pair'),
    ],
)
def test_what_is_wrong_with_a_document_is_noted_and_it_is_none(tmp_path, row, message):
    path = write_lines(tmp_path / "a.jsonl", [{"id": "a", "text": "x"}, row])
    problems = Problems()
    assert documents([path], problems, table="a.jsonl")[1:] == [None]
    assert f"{path}, {message}" in problems.summary() or message in problems.summary()
