"""What a section of the configuration takes as a value, and what it becomes."""

from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from quantrag.section import (
    LONGEST_NAME,
    CommandLineText,
    K,
    Line,
    Mistake,
    Name,
    Number,
    Options,
    Repository,
    Section,
    shown,
    unreserved,
)


class Example(Section):
    whole: int = 0
    maybe: Annotated[int, Field(ge=1)] | None = None
    number: Number = Field(2, gt=0)
    flag: bool = False
    choice: Literal[None, 8, 16] = None
    word: Literal["none", "some"] = "none"
    text: str = ""
    line: Line = "x"
    name: Name = "a"
    reserved: Annotated[Name, unreserved({"mine"})] = "yours"
    repository: Repository = "a/b"
    k: K = "0"
    ks: list[K] = Field(default_factory=list)
    options: Options = Field(default_factory=dict)


def refused(**values):
    with pytest.raises(ValidationError) as caught:
        Example(**values)
    return caught.value.errors()


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("whole", "7", 7),
        ("whole", "-7", -7),
        ("maybe", "null", None),
        ("maybe", "3", 3),
        ("number", "1", 1),
        ("number", "1.5", 1.5),
        ("number", "1e-3", 0.001),
        ("flag", "true", True),
        ("flag", "False", False),
        ("choice", "16", 16),
        ("choice", "null", None),
        ("word", "none", "none"),
        ("text", "12", "12"),
        ("text", "true", "true"),
        ("name", "2026", "2026"),
        ("k", "3", "3"),
    ],
)
def test_text_of_the_command_line_becomes_what_the_key_wants(key, text, value):
    found = getattr(Example(**{key: CommandLineText(text)}), key)
    assert found == value
    assert type(found) is type(value)


def test_text_inside_of_lists_and_options_is_read_too():
    example = Example(
        ks=[CommandLineText("0"), CommandLineText("max_4K")],
        options={
            "a": {"x": CommandLineText("2")},
            "b": [CommandLineText(t) for t in ("true", "c")],
        },
    )
    assert example.ks == ["0", "max_4K"]
    assert example.options == {"a": {"x": 2}, "b": [True, "c"]}
    assert type(example.options["b"][1]) is str


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("whole", "7"),
        ("whole", 1.0),
        ("whole", True),
        ("flag", 1),
        ("flag", "true"),
        ("number", "1.5"),
        ("number", True),
        ("choice", 8.0),
        ("choice", "8"),
        ("text", 3),
        ("name", 3),
        ("unknown", 3),
    ],
)
def test_a_file_is_taken_at_its_word(key, value):
    assert refused(**{key: value})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 0, -1])
def test_numbers_are_finite_and_in_their_range(value):
    assert refused(number=value)


@pytest.mark.parametrize("value", [3, 2.0, 0.5])
def test_a_number_keeps_its_representation(value):
    assert repr(Example(number=value).number) == repr(value)


def test_a_number_with_an_exponent_is_one():
    assert Example(number="1e-3").number == 0.001


@pytest.mark.parametrize("value", ["a\n", "\na", "a\x00", "a\u2028b", "a\x85", ""])
def test_a_line_has_no_line_break(value):
    assert refused(line=value)


@given(st.text(max_size=20))
def test_a_name_is_a_folder_name_that_no_shell_or_file_system_minds(text):
    try:
        name = Example(name=text).name
    except ValidationError:
        return
    assert name == text
    assert name.isascii()
    assert name[0].isalnum()
    assert not set(name) - set("._-") - set(filter(str.isalnum, name))


def test_names_leave_room_for_suffixes():
    assert Example(name="a" * LONGEST_NAME)
    assert refused(name="a" * (LONGEST_NAME + 1))
    assert LONGEST_NAME < 255


def test_reserved_names_and_wrong_repositories_are_refused():
    [error] = refused(reserved="mine")
    assert str(error["ctx"]["error"]) == "'mine' is a reserved name"
    for repository in ("a", "a/b/c", "a/b\n", "a b/c"):
        assert refused(repository=repository)


def test_k_is_a_number_or_a_window():
    assert Example(k=3).k == "3"
    assert Example(k="max_16K").k == "max_16K"
    for value in (-1, 1.0, True, "max_0K", "max_1k", "max_1K\n", "01", None):
        assert refused(k=value)


def test_a_mistake_names_the_key_that_is_meant():
    mistake = Mistake("is too large", "a", "b")
    assert (str(mistake), mistake.path) == ("is too large", ("a", "b"))


def test_values_are_shown_as_yaml_has_them_and_not_too_long():
    assert [shown(value) for value in (None, True, "a\n", 1.5, [1])] == [
        *["null", "true", r"'a\n'", "1.5", "[1]"]
    ]
    assert len(shown("x" * 1000)) <= 80
    assert shown(CommandLineText("x")) == "'x'"
