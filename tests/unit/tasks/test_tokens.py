"""Tokens of short answers: SQuAD's normalization, and characters where a script has no spaces."""

import pytest

from quantrag.tasks.tokens import squad_tokens, tokens_by_script


def test_tokens_by_hand():
    assert tokens_by_script("Deep 学习, 第2版") == ["deep", "学", "习", "第", "2", "版"]
    assert tokens_by_script("ÉTÉ été") == ["été", "été"]
    assert tokens_by_script("😂 👍") == ["😂", "👍"]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The U.S. Army's", ["us", "armys"]),
        ("a an the THE theory", ["theory"]),
        ("an-gel", ["angel"]),  # punctuation goes before articles do
        ("(the) 1,000  \t men", ["1000", "men"]),
        ("Zürich – “café”", ["zürich", "–", "“café”"]),  # SQuAD's punctuation is ASCII
    ],
)
def test_squads_normalization_by_hand(text, tokens):
    assert squad_tokens(text) == squad_tokens(text, "gold") == tokens


def test_a_gold_of_articles_and_punctuation_is_compared_with_them():
    assert squad_tokens("%", "gold") == squad_tokens("The", "gold") == []
    assert squad_tokens("A") == squad_tokens("a.", "A") == ["a"]
    assert squad_tokens("", "A") == []
    assert squad_tokens("C", "A") == ["c"]
    assert squad_tokens("%") == squad_tokens(" %", "%") == ["%"]
    assert squad_tokens("", "") == []


def test_a_gold_of_a_script_without_spaces_is_compared_by_characters():
    assert squad_tokens("北京。") == squad_tokens("The 北 京", "北京。") == ["北", "京"]
    assert squad_tokens("the Thai", "ไทย") == ["thai"]
    assert squad_tokens("1998年") == ["1998", "年"]
    # English data are compared as SQuAD compares them, whatever was answered.
    assert squad_tokens("the 北京 opera", "opera") == ["北京", "opera"]
