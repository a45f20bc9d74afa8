"""Questions are read from any source, and each mistake in one is named."""

import pytest

from handbook import write_lines
from quantrag.tasks.answers import NO_ANSWER
from quantrag.tasks.question_records import read_questions
from quantrag.tasks.records import Problems
from quantrag.tasks.settings import Questions


def questions(path, problems=None, answer="short", labels=(), group=None, **source):
    problems = Problems() if problems is None else problems
    section = Questions.model_validate(source or {"file": str(path)}).model_dump()
    options = {"answer": answer, "labels": labels, "group": group, "problems": problems}
    found = list(read_questions(section, [str(path)], **options))
    if problems.total == 0:
        assert None not in found
    return found


def test_a_record_becomes_a_question_and_other_columns_metadata(tmp_path):
    row = {"id": 7, "question": "Q?", "answers": ["a", "b", "a"], "evidence": "d", "level": 2}
    row |= {"evidence_text": ["x", "y"], "chapter": "one", "nothing": None}
    path = write_lines(tmp_path / "q.jsonl", [row])
    [found] = questions(path, group="chapter")
    assert (found.id, found.text, found.golds, found.group) == ("7", "Q?", ["a", "b"], "one")
    assert (found.evidence, found.quotes) == (["d"], ["x", "y"])
    assert found.metadata == {"level": 2, "chapter": "one"}


def test_usual_names_columns_of_other_names_and_no_group(tmp_path):
    path = write_lines(tmp_path / "q.jsonl", [{"_id": "a", "query": "Q?", "answer": 1914}])
    [found] = questions(path)
    assert (found.id, found.text, found.golds, found.group) == ("a", "Q?", ["1914"], "a")
    path = write_lines(tmp_path / "q.jsonl", [{"n": "a", "ask": "Q?", "gold": "x"}])
    [found] = questions(
        path, file="q.jsonl", columns={"id": "n", "question": "ask", "answers": "gold"}
    )
    assert (found.text, found.golds, found.metadata) == ("Q?", ["x"], {})


@pytest.mark.parametrize("given", [{}, {"answers": None}, {"answers": ""}, {"answers": []}])
def test_a_question_without_a_gold_is_unanswerable(tmp_path, given):
    path = write_lines(tmp_path / "q.jsonl", [{"id": "a", "question": "Q?", **given}])
    assert questions(path)[0].golds == [NO_ANSWER]


def test_what_is_no_number_is_empty_at_any_depth(tmp_path):
    nan, infinity = float("nan"), float("inf")
    row = {"id": "a", "question": "Q?", "answers": nan, "level": nan}
    row["more"] = {"score": [1.5, -infinity], "n": 2}
    [found] = questions(write_lines(tmp_path / "q.jsonl", [row]))
    assert found.golds == [NO_ANSWER]
    assert found.metadata == {"more": {"score": [1.5, None], "n": 2}}


def test_golds_may_lie_inside_an_object_as_in_data_sets_of_squads_layout(tmp_path):
    row = {"id": "a", "question": "Q?", "answers": {"text": ["x", "y"], "answer_start": [1, 2]}}
    assert questions(write_lines(tmp_path / "q.jsonl", [row]))[0].golds == ["x", "y"]


def test_in_csv_a_list_is_json_unless_it_is_a_label(tmp_path):
    path = tmp_path / "q.csv"
    path.write_text('id,question,answers\n1,Q?,"[""a"", 3]"\n2,R?,b\n3,S?,\n')
    assert [q.golds for q in questions(path)] == [["a", "3"], ["b"], [NO_ANSWER]]
    path.write_text("id,question,answers\n1,Q?,[1]\n")
    assert questions(path, answer="label", labels=["[1]", "[2]"])[0].golds == ["[1]"]


def test_a_list_is_json_in_the_csv_files_of_a_data_set_too(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "data" / "train.csv"
    path.parent.mkdir()
    path.write_text('id,question,answers\n1,Q?,"[""a"", 3]"\n2,R?,b\n')
    found = questions(path, dataset={"path": str(path.parent)})
    assert [q.golds for q in found] == [["a", "3"], ["b"]]


def test_ratings_become_whole_numbers_as_text(tmp_path):
    rows = [{"id": n, "question": "Q?", "answers": gold} for n, gold in enumerate([4, "2.0"])]
    path = write_lines(tmp_path / "q.jsonl", rows)
    assert [q.golds for q in questions(path, answer="rating")] == [["4"], ["2"]]


GOOD = {"id": "a", "question": "Q?", "answers": "yes"}


@pytest.mark.parametrize(
    ("row", "options", "message"),
    [
        ({"question": "R?"}, {}, "line 2: id: a string is expected, found no such key"),
        (GOOD, {}, 'line 2: question "a": an earlier one has the same id'),
        ({"id": "b"}, {}, 'question "b": question: a string is expected, found no such key'),
        ({"id": "b", "question": ""}, {}, 'question "b": question is empty'),
        (
            {**GOOD, "id": "b", "answers": True},
            {},
            'question "b": answers: a text or a list of texts is expected, found true or false',
        ),
        (
            {**GOOD, "id": "b", "answers": "may\nbe"},
            {"answer": "label", "labels": ["yes", "no"]},
            'question "b": answers is "may be"; allowed: yes, no',
        ),
        (
            {"id": "b", "question": "R?"},
            {"answer": "label", "labels": ["yes", "no"]},
            'question "b": answers is ""; allowed: yes, no',
        ),
        (
            {**GOOD, "id": "b", "evidence_text": "x"},
            {},
            'question "b": evidence_text without evidence',
        ),
    ],
)
def test_what_is_wrong_with_a_question_is_noted_and_it_is_none(tmp_path, row, options, message):
    path = write_lines(tmp_path / "q.jsonl", [GOOD, row])
    problems = Problems()
    assert questions(path, problems, **options)[1] is None
    assert f"{path}, line 2" in problems.summary()
    assert message in problems.summary()


@pytest.mark.parametrize("gold", ["6", "", None, "good"])
def test_other_ratings_are_refused(tmp_path, gold):
    path = write_lines(tmp_path / "q.jsonl", [{**GOOD, "answers": gold}])
    problems = Problems()
    assert questions(path, problems, answer="rating") == [None]
    assert "allowed: 1, 2, 3, 4, 5" in problems.summary()


def test_a_question_without_its_group_is_noted(tmp_path):
    path = write_lines(tmp_path / "q.jsonl", [{**GOOD, "chapter": "x"}, {**GOOD, "id": "b"}])
    problems = Problems()
    assert questions(path, problems, group="chapter")[1] is None
    assert "chapter: a string is expected, found no such key" in problems.summary()


def test_a_list_in_csv_that_is_no_json_is_noted(tmp_path):
    path = tmp_path / "q.csv"
    path.write_text("id,question,answers\n1,Q?,[a\n")
    problems = Problems()
    assert questions(path, problems) == [None]
    assert "answers: not a list in JSON" in problems.summary()
