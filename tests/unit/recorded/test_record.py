"""What all readers share: values, JSON files, and messages that say where."""

import pytest

from quantrag.errors import UserError
from quantrag.recorded.record import (
    golds_of,
    lower_is_better,
    number,
    read_json,
    text_of,
    wanted,
)


@pytest.mark.parametrize(
    "name", ["word_perplexity", "WER", "log_loss", "logloss", "error", "s/errors", "mean-mae"]
)
def test_some_names_say_that_less_is_better(name):
    assert lower_is_better(name)


@pytest.mark.parametrize("name", ["acc", "power", "filter", "terror", "gloss", "exact_match"])
def test_parts_of_words_say_nothing(name):
    assert not lower_is_better(name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, 1.0), (0, 0.0), (0.25, 0.25), (float("inf"), None), ("1", None), (None, None)],
)
def test_only_finite_numbers_are_scores(value, expected):
    assert number(value) == expected


def test_golds_are_texts():
    assert text_of({"é": [1]}) == '{"é": [1]}'
    assert golds_of(None) == ()
    assert golds_of("4") == golds_of(4) == ("4",)
    assert golds_of(["a", 2, None]) == ("a", "2", "null")


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"a\.json: not JSON"):
        read_json(tmp_path / "a.json")
    with pytest.raises(UserError, match=r"b\.json: No such file"):
        read_json(tmp_path / "b.json")


def test_a_missing_key_is_said_with_those_that_are_there():
    assert wanted({"a": None}, "a", "f, line 1") is None
    with pytest.raises(UserError, match="f, line 1: no 'id'; it has a, b"):
        wanted({"a": 1, "b": 2}, "id", "f, line 1")
