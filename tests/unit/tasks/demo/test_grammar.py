"""Patterns become sentences and titles in English."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantrag.tasks.demo.grammar import expand, plural, sentence, title_case


def test_patterns_expand():
    rng = random.Random(0)
    slots = {"a": ["x", "y {b}"], "b": "z"}
    results = {expand("[p {a}|q[1|2]|]!", slots, rng) for _ in range(200)}
    assert results == {"p x!", "p y z!", "q1!", "q2!", "!"}
    with pytest.raises(KeyError):
        expand("{c}", slots, rng)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a old  idea , and a uniform one.", "An old idea, and a uniform one."),
        ("is it a hour? no. a user said so", "Is it an hour? No. A user said so"),
        ("we saw a uncertainty-aware plan!", "We saw an uncertainty-aware plan!"),
        ("a European path. A eager one", "A European path. An eager one"),
    ],
)
def test_sentences(text, expected):
    assert sentence(text) == expected


def test_titles_have_capitals_where_they_should():
    assert title_case("what is of use: a study of DNA") == "What Is of Use: A Study of DNA"
    assert title_case("low-resource plans to build on") == "Low-Resource Plans to Build On"


def test_plurals():
    words = ("library", "delay", "hash", "box", "toolbox search", "plan")
    assert [plural(word) for word in words] == [
        "libraries",
        "delays",
        "hashes",
        "boxes",
        "toolbox searches",
        "plans",
    ]


@given(st.text("ab {}[]|"))
def test_expansion_always_ends(pattern):
    try:
        result = expand(pattern, {"a": "b", "b": "a", "ab": ""}, random.Random(0))
    except KeyError:
        return
    assert isinstance(result, str)
