"""Prompt styles: word for word what their sources send."""

import pytest
from jinja2 import UndefinedError

from quantrag.errors import UserError
from quantrag.prompts import styles as prompt_styles
from quantrag.prompts.styles import load_style, strip_lines, style_hash

REVIEW_INPUT = (
    "What is the score of the following review on a scale of 1 to 5? just answer with 1, 2, 3, 4, "
    "or 5 without further explanation. review: It broke."
)
ABSTRACT_INPUT = "Generate a title for the following abstract of a paper: We study ants."


def render(style_name, lamp, documents, query, task_input):
    style = load_style(style_name, f"LaMP-{lamp}")
    block = style.separator.join(style.document(*document) for document in documents)
    return style.user(block, query, task_input)


@pytest.mark.parametrize(
    ("lamp", "documents", "task_input", "expected"),
    [
        (
            1,
            [("abstract", "Ants"), ("abstract", "Bees")],
            'For an author who has written the paper with the title "Wasps", which reference is '
            'related? Just answer with [1] or [2] without explanation. [1]: "A" [2]: "B"',
            'For an author who has written the paper with the title, and "Ants", and "Bees" '
            '"Wasps", which reference is related? Just answer with [1] or [2] without explanation. '
            '[1]: "A" [2]: "B"',
        ),
        (
            2,
            [("A man.", "comedy"), ("A car.", "action")],
            "Which tag? description: A dog.",
            'the tag for the movie: "A man." is "comedy" , and the tag for the movie: "A car." is '
            '"action" . Which tag? description: A dog.',
        ),
        (
            3,
            [("Good!", "5"), ('Says "no"', "1")],
            REVIEW_INPUT,
            '5 is the score for "Good!" , and 1 is the score for "Says "no"" . ' + REVIEW_INPUT,
        ),
        (
            4,
            [("Rain fell.", "Rain")],
            "Generate a headline for the following article: Sun.",
            '"Rain" is the title for "Rain fell." . Generate a headline for the following article: '
            "Sun.",
        ),
        (
            5,
            [("About ants.", "Ants"), ("About bees.", "Bees")],
            ABSTRACT_INPUT,
            '"Ants" is a title for "About ants." , and "Bees" is a title for "About bees." . '
            "Following the given patterns " + ABSTRACT_INPUT,
        ),
        (
            7,
            [("hi", ""), ("ho", "")],
            "Paraphrase the following tweet without any explanation before or after it: hey",
            '"hi" , and "ho"  are written by a person. Following the given patterns Paraphrase the '
            "following tweet without any explanation before or after it: hey",
        ),
    ],
)
def test_lamp_is_word_for_word(lamp, documents, task_input, expected):
    assert render("lamp", lamp, documents, "unused", task_input) == expected
    assert render("lamp", lamp, [], "unused", task_input) == task_input
    assert load_style("lamp", f"LaMP-{lamp}").system is None


def test_paper_reviews_are_word_for_word():
    documents = [("Good!\nVery.", "5"), ("Bad", "1")]
    assert render("paper", 3, documents, "It broke.", REVIEW_INPUT) == (
        "Here are a couple of review-rating pairs of a user.\n<EXAMPLES>\n\nReview:\nGood!\nVery.\n"
        "Score:\n5\n\nReview:\nBad\nScore:\n1\n\n</EXAMPLES>\nWith the given examples, give a "
        "score between [1, 2, 3, 4, 5] to the following review by the same user. Only output the "
        "score and nothing else.\nReview:\nIt broke.\nScore:"
    )
    assert render("paper", 3, [], "It broke.", REVIEW_INPUT) == (
        "Give a score between [1, 2, 3, 4, 5] to the following review. Only output the score and "
        "nothing else.\nReview:\nIt broke.\nScore:"
    )
    assert load_style("paper", "LaMP-3").system == ""


def test_paper_abstracts_are_word_for_word():
    assert render("paper", 5, [("About ants.", "Ants")], "We study ants.", ABSTRACT_INPUT) == (
        "Here are a couple of abstract-title pairs of an author:\n<EXAMPLES>\n\nAbstract:\nAbout "
        "ants.\nTitle:\nAnts\n\n</EXAMPLES>\nWith the given examples, generate a title for the "
        "given abstract by the same author. Only output the title and nothing else:\nAbstract:\n"
        "We study ants.\nTitle:"
    )
    assert render("paper", 5, [], "We study ants.", ABSTRACT_INPUT) == (
        "Your task is to generate a title for the given abstract. You will only output the title "
        "and nothing else.\nAbstract:\nWe study ants.\nTitle:"
    )


@pytest.mark.parametrize(
    "field",
    [
        "one",
        " one ",
        "one\n",
        "one\n\n",
        "\none",
        "a \n  b\t\nc",
        "",
        "\n",
        "a\r\nb\r",
        "a\u2028b",
        " \x0b x",
    ],
)
def test_stripped_fields_equal_a_stripped_message(field):
    message = f"Review:\n{field}\nScore:"
    expected = "\n".join(line.strip() for line in message.splitlines())
    assert f"Review:\n{strip_lines(field)}\nScore:" == expected


def test_data_is_no_template():
    text = "{{ query }} {% raw %} {# x #}"
    assert text in render("lamp", 3, [(text, "5")], "q", REVIEW_INPUT)


def test_a_task_without_wording_is_refused():
    with pytest.raises(UserError, match=r"'paper' has no wording for LaMP-4, only for LaMP-3, La"):
        load_style("paper", "LaMP-4")
    with pytest.raises(UserError, match="Allowed: lamp, paper"):
        load_style("papr", "LaMP-3")


def test_hash_follows_the_task_alone(tmp_path, monkeypatch):
    text = (prompt_styles.FOLDER / "lamp.yaml").read_text()
    before = {name: style_hash("lamp", name) for name in ("LaMP-3", "LaMP-5")}
    (tmp_path / "lamp.yaml").write_text(text.replace("is a title for", "is one title for"))
    monkeypatch.setattr(prompt_styles, "FOLDER", tmp_path)
    assert style_hash("lamp", "LaMP-3") == before["LaMP-3"]
    assert style_hash("lamp", "LaMP-5") != before["LaMP-5"]
    (tmp_path / "lamp.yaml").write_text(text + "# a comment\n")
    assert style_hash("lamp", "LaMP-5") == before["LaMP-5"]


def test_a_misspelt_field_is_an_error(tmp_path, monkeypatch):
    text = (prompt_styles.FOLDER / "lamp.yaml").read_text()
    (tmp_path / "lamp.yaml").write_text(text.replace("{{ text }}", "{{ txt }}"))
    monkeypatch.setattr(prompt_styles, "FOLDER", tmp_path)
    with pytest.raises(UndefinedError):
        load_style("lamp", "LaMP-3").document("text", "5")
