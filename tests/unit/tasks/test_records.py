"""Single fields of records, and how what is wrong with them is said."""

import pytest

from quantrag.errors import UserError
from quantrag.tasks.records import Problems, json_type, read_identifier, read_rating, read_text


@pytest.fixture
def problems():
    return Problems()


def test_no_problem_is_no_error(problems, caplog):
    problems.raise_if_any()
    problems.warn_if_few({"questions": "q.json"}, {"questions": (0, 10)})
    assert caplog.text == ""


def test_one_problem_is_one_line(problems):
    problems.add("id", "record 1: id is missing")
    assert problems.summary() == "record 1: id is missing."


def test_each_kind_is_shown_before_any_is_shown_twice(problems):
    for number in range(7):
        problems.add("empty", f"record {number}: text is empty")
    problems.add("rating", "record 9: score is 6")
    with pytest.raises(UserError) as caught:
        problems.raise_if_any()
    assert str(caught.value).splitlines() == [
        "record 0: text is empty. (8 problems in all)",
        "  record 9: score is 6.",
        *[f"  record {number}: text is empty." for number in (1, 2, 3)],
        "  ... and 3 more.",
    ]


def test_up_to_a_twentieth_may_be_dropped(problems, caplog):
    problems.add("empty", "record 3: text is empty")
    problems.warn_if_few({"questions": "q.json"}, {"questions": (1, 20)})
    assert "q.json: invalid records left out: 1 of 20 questions. record 3" in caplog.text
    with pytest.raises(UserError, match=r"q\.json: 1 of 19 questions are invalid, too many"):
        problems.warn_if_few({"questions": "q.json"}, {"questions": (1, 19)})


def test_the_file_of_the_kind_that_is_wrong_is_named(problems, caplog):
    paths = {"questions": "q.json", "documents": "d.json"}
    problems.add("empty", "record 3: text is empty")
    problems.warn_if_few(paths, {"questions": (0, 9), "documents": (1, 20)})
    assert "q.json, d.json: invalid records left out: 0 of 9 questions, 1 of 20" in caplog.text
    with pytest.raises(UserError, match=r"^d\.json: 1 of 19 documents are invalid"):
        problems.warn_if_few(paths, {"questions": (0, 9), "documents": (1, 19)})


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (read_identifier, "7a", "7a"),
        (read_identifier, 7, "7"),
        (lambda r, w, p: read_text(r, "id", w, p), " a\n", " a\n"),
        (lambda r, w, p: read_rating(r, "id", w, p), "4.0", "4"),
        (lambda r, w, p: read_rating(r, "id", w, p), 5, "5"),
    ],
)
def test_right_fields(problems, read, value, expected):
    assert read({"id": value}, "record 1", problems) == expected
    assert problems.total == 0


@pytest.mark.parametrize(
    ("read", "record", "nothing", "message"),
    [
        (read_identifier, {"id": True}, None, "id: a string is expected, found true or false"),
        (read_identifier, {"id": ""}, None, "id: a string is expected, found a string ('')"),
        (read_identifier, {}, None, "id: a string is expected, found no such key"),
        (
            lambda r, w, p: read_text(r, "t", w, p),
            {"t": ["a"]},
            "",
            "t: a string is expected, found a list",
        ),
        (lambda r, w, p: read_text(r, "t", w, p), {"t": " \n"}, "", "t is empty"),
        (
            lambda r, w, p: read_rating(r, "s", w, p),
            {"s": 10**400},
            "",
            f"s is {10**400}; allowed: 1, 2, 3, 4, 5",
        ),
        (
            lambda r, w, p: read_rating(r, "s", w, p),
            {"s": "five"},
            "",
            "s is 'five'; allowed: 1, 2, 3, 4, 5",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 60 else "",
)
def test_wrong_fields(problems, read, record, nothing, message):
    assert read(record, "record 1", problems) == nothing
    assert problems.summary().startswith(f"record 1: {message}")


@pytest.mark.parametrize(
    ("value", "name"),
    [({}, "an object"), (None, "null"), (False, "true or false (False)"), (2.5, "a number (2.5)")],
)
def test_values_are_called_as_json_calls_them(value, name):
    assert json_type(value) == name
