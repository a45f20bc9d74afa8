"""Prompt styles: word for word what their sources send."""

import pytest
import yaml

from quantrag.errors import UserError
from quantrag.prompts import styles as prompt_styles
from quantrag.prompts.styles import (
    built_in_wording,
    datasets,
    load_style,
    mistakes,
    strip_lines,
)

REVIEW_INPUT = (
    "What is the score of the following review on a scale of 1 to 5? just answer with 1, 2, 3, 4, "
    "or 5 without further explanation. review: It broke."
)
ABSTRACT_INPUT = "Generate a title for the following abstract of a paper: We study ants."


def render(style_name, dataset, documents, query, task_input):
    style = load_style(style_name, dataset)
    block = style.separator.join(
        style.document(*document, number) for number, document in enumerate(documents, start=1)
    )
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
    assert render("lamp", f"LaMP-{lamp}", documents, "unused", task_input) == expected
    assert render("lamp", f"LaMP-{lamp}", [], "unused", task_input) == task_input
    assert load_style("lamp", f"LaMP-{lamp}").system is None


def test_paper_reviews_are_word_for_word():
    documents = [("Good!\nVery.", "5"), ("Bad", "1")]
    assert render("paper", "LaMP-3", documents, "It broke.", REVIEW_INPUT) == (
        "Here are a couple of review-rating pairs of a user.\n<EXAMPLES>\n\nReview:\nGood!\nVery.\n"
        "Score:\n5\n\nReview:\nBad\nScore:\n1\n\n</EXAMPLES>\nWith the given examples, give a "
        "score between [1, 2, 3, 4, 5] to the following review by the same user. Only output the "
        "score and nothing else.\nReview:\nIt broke.\nScore:"
    )
    assert render("paper", "LaMP-3", [], "It broke.", REVIEW_INPUT) == (
        "Give a score between [1, 2, 3, 4, 5] to the following review. Only output the score and "
        "nothing else.\nReview:\nIt broke.\nScore:"
    )
    assert load_style("paper", "LaMP-3").system == ""


def test_paper_abstracts_are_word_for_word():
    assert render(
        "paper", "LaMP-5", [("About ants.", "Ants")], "We study ants.", ABSTRACT_INPUT
    ) == (
        "Here are a couple of abstract-title pairs of an author:\n<EXAMPLES>\n\nAbstract:\nAbout "
        "ants.\nTitle:\nAnts\n\n</EXAMPLES>\nWith the given examples, generate a title for the "
        "given abstract by the same author. Only output the title and nothing else:\nAbstract:\n"
        "We study ants.\nTitle:"
    )
    assert render("paper", "LaMP-5", [], "We study ants.", ABSTRACT_INPUT) == (
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
    assert text in render("lamp", "LaMP-3", [(text, "5")], "q", REVIEW_INPUT)


def test_a_task_without_wording_is_refused():
    with pytest.raises(UserError, match=r"'paper' has no wording for LaMP-4, only for LaMP-3, La"):
        load_style("paper", "LaMP-4")
    with pytest.raises(UserError, match="Allowed: lamp, paper, rag"):
        load_style("papr", "LaMP-3")


def test_a_wording_is_that_of_its_data_set_alone(tmp_path, monkeypatch):
    text = (prompt_styles.FOLDER / "lamp.yaml").read_text()
    before = {name: built_in_wording("lamp", name) for name in ("LaMP-3", "LaMP-5")}
    (tmp_path / "lamp.yaml").write_text(text.replace("is a title for", "is one title for"))
    monkeypatch.setattr(prompt_styles, "FOLDER", tmp_path)
    assert built_in_wording("lamp", "LaMP-3") == before["LaMP-3"]
    assert built_in_wording("lamp", "LaMP-5") != before["LaMP-5"]
    (tmp_path / "lamp.yaml").write_text(text + "# a comment\n")
    assert built_in_wording("lamp", "LaMP-5") == before["LaMP-5"]


def test_the_style_of_a_task_is_that_of_its_kind():
    assert built_in_wording("task", "LaMP-3")["style"] == "paper"
    assert built_in_wording("task", "questions-short")["style"] == "rag"
    with pytest.raises(UserError, match=r"'paper' has no wording for LaMP-4"):
        built_in_wording("task", "LaMP-4")


def test_rag_numbers_passages_and_leaves_out_titles_that_are_not_there():
    documents = [("Paris is the capital.", "France"), ("It rains.", "")]
    text = render("rag", "questions-short", documents, "What is the capital?", "unused")
    assert text == (
        "Answer the question from the passages. Give only the answer, as short as possible: a "
        "name, a number or a few words of the passages. If the answer is not in the passages, "
        'write "unanswerable".\n\nPassages:\n\n[1] France\nParis is the capital.\n\n[2] It rains.'
        "\n\nQuestion: What is the capital?\nAnswer:"
    )
    text = render("rag", "questions-short", [], "What is the capital?", "unused")
    assert "assages" not in text
    assert text.endswith("\n\nQuestion: What is the capital?\nAnswer:")


@pytest.mark.parametrize("documents", [[], [("It rains.", "")]])
def test_rag_names_the_labels(documents):
    style = load_style("rag", "questions-label", ("yes", "no", "maybe"))
    block = "".join(style.document(*document, 1) for document in documents)
    assert "nothing else: yes, no, maybe.\n" in style.user(block, "Does it?", "Does it?")


@pytest.mark.parametrize("name", ["lamp", "paper", "rag"])
def test_our_styles_have_no_mistakes(name):
    tasks = yaml.safe_load((prompt_styles.FOLDER / f"{name}.yaml").read_text())["tasks"]
    found = [list(mistakes(built_in_wording(name, one), ("yes", "no"))) for one in tasks]
    assert found == [[]] * len(tasks)
    assert set(tasks) <= set(datasets())


WORDING = {
    "strip_lines": False,
    "system": None,
    "separator": "\n",
    "document": "{{ text }}",
    "with_documents": "{{ documents }} {{ query }}",
    "without_documents": "{{ query }}",
}


@pytest.mark.parametrize(
    ("changes", "key", "message"),
    [
        ({"document": "{{ txt }}"}, "document", "unknown variable 'txt'. Allowed: text, target"),
        ({"document": "{{ query }}"}, "document", "unknown variable 'query'"),
        ({"without_documents": "{{ documents }}"}, "without_documents", "'documents'"),
        ({"system": "{{ query }}"}, "system", "unknown variable 'query'. Allowed: labels"),
        ({"document": "{{ text"}, "document", "line 1 of the template: unexpected end"),
        ({"document": "a\n{% if %}"}, "document", "line 2 of the template: Expected an expr"),
        ({"document": "{{ text | no }}"}, "document", "No filter named 'no'"),
        ({"document": "{{ number }}"}, "document", "neither {{ text }} nor {{ target }}"),
        (
            {"with_documents": "{{ query }}"},
            "with_documents",
            "{{ documents }} must stand in it once",
        ),
        (
            {"with_documents": "{{ documents }}{{ documents }}{{ query }}"},
            *("with_documents", "must stand in it once"),
        ),
        (
            {"with_documents": "{{ documents | replace('\n', ' ') }}{{ query }}"},
            *("with_documents", "and as it is"),
        ),
        (
            {"with_documents": "{{ documents }}"},
            "with_documents",
            "neither {{ query }} nor {{ input }}",
        ),
        (
            {"without_documents": "Answer."},
            "without_documents",
            "neither {{ query }} nor {{ input }}",
        ),
        (
            {"with_documents": "{{ documents }}{{ query }}{{ labels[2] }}"},
            *("with_documents", "UndefinedError: tuple object has no element 2"),
        ),
        ({"system": "{{ 1 / 0 }}"}, "system", "ZeroDivisionError"),
    ],
)
def test_mistakes_of_a_wording_are_found_before_it_is_used(changes, key, message):
    (found, *_) = mistakes({**WORDING, **changes}, ("yes", "no"))
    assert found[0] == key
    assert message in found[1]
    assert list(mistakes(WORDING, ())) == []


@pytest.mark.parametrize(
    "change", ["trim", "upper", "lower", "title", "e", "truncate(9000)", "wordwrap", "striptags"]
)
def test_no_filter_may_change_the_documents(change):
    changed = {**WORDING, "with_documents": f"{{{{ documents | {change} }}}} {{{{ query }}}}"}
    [(key, message)] = mistakes(changed, ())
    assert key == "with_documents"
    assert "and as it is" in message
