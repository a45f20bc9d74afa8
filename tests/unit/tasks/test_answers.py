import pytest

from lamp_tasks import lamp_task
from quantrag.tasks.answers import INVALID, Prediction, rating


@pytest.mark.parametrize(
    ("text", "prediction"),
    [
        ("4", "4"),
        (" 4\n", "4"),
        ("Rating: 4 out of 5", "4"),
        ("I'd give it a 2.5", "2"),
        ("4/5", "4"),
        ("**5**", "5"),
        ("Score:3.", "3"),
        ("5-star", "5"),
        ("4stars", "4"),
        ("a rating of 5", "5"),
        ("4.0", "4"),
        ("3-4", "3"),
        ("- 4", "4"),
        ("评分：4分", "4"),
        # Digits that are not ratings of their own.
        ("For this mp3 player: 5", "5"),
        ("2nd time, rating 4", "4"),
        ("$5 well spent: 4", "4"),
        ("100% my favourite: 5", "5"),
        # The scale is named, then used.
        ("On a scale of 1 to 5, I would give this a 4.", "4"),
        ("I'd rate this a 4 on a scale of 1 to 5", "4"),
        ("on a scale of 1 (worst) to 5 (best): 3", "3"),
        ("with 1 being the worst and 5 being the best, I'd say 4", "4"),
        ("Out of 5, I give 3", "3"),
        ("1, 2, 3, 4, or 5? I choose 4", "4"),
        ("[1, 2, 3, 4, 5] -> 3", "3"),
        ("1, 2, 3, 4, 5: 4", "4"),
        ("1: bad\n2: poor\n3: ok\n4: good\n5: great\nAnswer: 4", "4"),
    ],
)
def test_lenient_takes_the_first_rating(text, prediction):
    assert lamp_task(3).parse(text, "lenient")[:2] == (prediction, True)


@pytest.mark.parametrize(
    "text",
    [
        *["", "great!", "10", "2019", "six", "0", "7 stars", "99.", "3" * 64, "-3", "Score: -2."],
        *["10 out of 5", "8/10", "4 out of 10", "0/5", "5.5", "1,000 words", "4:30", "1e0"],
        *["1 to 5", "1-5", "[1, 2, 3, 4, 5]", "1. 1. 1. 2. 3. 4. 5.", "1/2/3/4/5", "5 4 3 2 1"],
        *[
            "1, 2, 3, 4, 5, 1, 2",
            "1 star, 2 stars, 3 stars, 4 stars, 5 stars",
            "(1) (2) (3) (4) (5)",
        ],
    ],
)
def test_lenient_finds_no_rating(text):
    assert lamp_task(3).parse(text, "lenient")[:2] == (text.strip(), False)


@pytest.mark.parametrize(
    ("text", "number"),
    [("4", 4.0), ("1e0", 1.0), ("10", 10.0), ("inf", None), ("nan", None), ("4 stars", None)],
)
def test_rating_reads_what_lamp_reads(text, number):
    assert rating(text) == number


@pytest.mark.parametrize(
    ("text", "lamp", "prediction"),
    [
        ("[2]", 1, "[2]"),
        ("The answer is [1].", 1, "[1]"),
        ("Of 1 and 2 it is [2]", 1, "[2]"),
        ("Reference 2", 1, "[2]"),
        ("Dark comedy.", 2, "dark comedy"),
        ("Tag: Comedy or dark comedy", 2, "comedy"),
        ('"Sci-Fi"', 2, "sci-fi"),
    ],
)
def test_lenient_takes_the_first_label(text, lamp, prediction):
    assert lamp_task(lamp).parse(text, "lenient")[:2] == (prediction, True)


def test_labels_inside_words_are_no_labels():
    assert not lamp_task(2).parse("tragicomedy", "lenient").valid
    assert not lamp_task(1).parse("[3]", "lenient").valid
    assert not lamp_task(2).parse("Comedy", "strict").valid


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("A Study of Cats", "A Study of Cats"),
        ('"A Study of Cats"', "A Study of Cats"),
        ('Title: "A Study of Cats"', "A Study of Cats"),
        ("title: A Study of Cats\n\nNote: I made it short.", "A Study of Cats"),
        ("**Title:**\nA Study of Cats", "A Study of Cats"),
        ("Title:\n\n“A Study of Cats”", "A Study of Cats"),
        ("Here is a possible title:\n\n**A Study of Cats**", "A Study of Cats"),
        ("Sure! Here you go.\nTitle: A Study of Cats", "A Study of Cats"),
        ("A Study of Cats (Note: assumed)", "A Study of Cats"),
        ("A Study of Cats. Note: assumed", "A Study of Cats."),
        ('"A Study of Cats" Note: assumed', "A Study of Cats"),
        ("**A Study of Cats** *Explanation: short*", "A Study of Cats"),
        ("A Study of Cats - Note: assumed", "A Study of Cats"),
        ("A Study of Cats [Note: assumed]", "A Study of Cats"),
        ("Technical Note: Q-Learning", "Technical Note: Q-Learning"),
        ("A Note: On Cats", "A Note: On Cats"),
        ("Title: Causal Explanation: A Survey", "Causal Explanation: A Survey"),
        ("Graphs as Explanation: Why?", "Graphs as Explanation: Why?"),
        ('"Cats" and "Dogs"', '"Cats" and "Dogs"'),
        ("The “Cat” Problem", "The “Cat” Problem"),
        ('"A Study of Cats', "A Study of Cats"),
        ("Notes on Cats: A Study", "Notes on Cats: A Study"),
        ("A Title: Giving Names", "Giving Names"),
        ("A Study of Cats\n\nThis title reflects", "A Study of Cats"),
        ("## A Study of Cats", "A Study of Cats"),
    ],
)
def test_lenient_cleans_titles(text, title):
    assert lamp_task(5).parse(text, "lenient")[:2] == (title, True)


@pytest.mark.parametrize("text", ["", "  \n ", '""', "**"])
def test_no_title_is_not_valid(text):
    assert lamp_task(5).parse(text, "lenient")[:2] == ("", False)


def test_flip_keys():
    rating_key, title_key = lamp_task(3).flip_key, lamp_task(5).flip_key
    assert rating_key(Prediction("4.0", True)) == rating_key(Prediction("4", True)) == "4"
    assert rating_key(Prediction("well", False)) == INVALID
    assert title_key(Prediction("A  Title\n", True)) == "a title"
