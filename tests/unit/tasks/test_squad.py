"""SQuAD 1.1 and 2.0, on a made-up file."""

import json
import re

import pytest

from quantrag.errors import UserError
from quantrag.tasks.squad import read_paragraphs, read_questions

ANSWERED = {"id": "q1", "question": "Who?", "answers": [{"text": "Ann", "answer_start": 0}] * 2}
IMPOSSIBLE = {
    "id": "q2",
    "question": "When?",
    "is_impossible": True,
    "answers": [],
    "plausible_answers": [{"text": "May", "answer_start": 3}],
}
CONTENT = {
    "version": "v2.0",
    "data": [
        {"title": "Big_River", "paragraphs": [{"context": "Ann ...", "qas": [ANSWERED]}]},
        {
            "title": "B",
            "paragraphs": [{"context": "x", "qas": []}, {"context": "y", "qas": [IMPOSSIBLE]}],
        },
    ],
}


def written(tmp_path, content=CONTENT):
    path = tmp_path / "squad.json"
    path.write_text(json.dumps(content))
    return path


def test_paragraphs_are_documents_with_the_title_of_their_article(tmp_path):
    records = [record for _, record in read_paragraphs(written(tmp_path))]
    assert records == [
        {"id": "Big_River/0", "title": "Big River", "text": "Ann ..."},
        {"id": "B/0", "title": "B", "text": "x"},
        {"id": "B/1", "title": "B", "text": "y"},
    ]


def test_articles_of_one_title_are_numbered(tmp_path):
    article = {"title": "A_b", "paragraphs": [{"context": "x", "qas": [ANSWERED]}]}
    path = written(tmp_path, {"data": [article, article, {**article, "title": "A_b (2)"}]})
    records = [record for _, record in read_paragraphs(path)]
    assert [record["id"] for record in records] == ["A_b/0", "A_b (2)/0", "A_b (2) (2)/0"]
    assert records[1]["title"] == "A b (2)"
    found = [(record["evidence"], record["article"]) for _, record in read_questions(path)]
    assert found[:2] == [("A_b/0", "A b"), ("A_b (2)/0", "A b (2)")]


@pytest.mark.parametrize("paragraph", [{"qas": []}, {"context": None, "qas": []}])
def test_a_paragraph_without_text_is_named(tmp_path, paragraph):
    content = {"data": [{"title": "a", "paragraphs": [paragraph]}]}
    with pytest.raises(UserError, match=r"article 1, paragraph 1: .* no text 'context'"):
        list(read_paragraphs(written(tmp_path, content)))


def test_questions_have_their_paragraph_as_evidence_and_none_if_impossible_a_gold(tmp_path):
    path = written(tmp_path)
    [one, other] = read_questions(path)
    assert one[0] == f"{path}, article 1, paragraph 1, question 1"
    assert one[1]["answers"] == ["Ann", "Ann"]
    assert (one[1]["evidence"], one[1]["article"]) == ("Big_River/0", "Big River")
    assert other[0] == f"{path}, article 2, paragraph 2, question 1"
    assert other[1]["answers"] == []
    assert other[1]["evidence"] == "B/1"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "squad.json: not in SQuAD's layout: no object with the list 'data'"),
        ({"data": {}}, "squad.json: not in SQuAD's layout: no list 'data'"),
        ({"data": [1]}, "squad.json, article 1: not an object"),
        ({"data": [{"title": "a"}]}, "article 1: not in SQuAD's layout: no list 'paragraphs'"),
        ({"data": [{"paragraphs": [0]}]}, "article 1, paragraph 1: not an object"),
        ({"data": [{"paragraphs": [{}]}]}, "paragraph 1: not in SQuAD's layout: no list 'qas'"),
        ({"data": [{"paragraphs": [{"qas": [0]}]}]}, "paragraph 1, question 1: not an object"),
    ],
)
def test_another_layout_is_said_with_its_place(tmp_path, content, message):
    with pytest.raises(UserError, match=re.escape(message)):
        list(read_questions(written(tmp_path, content)))
