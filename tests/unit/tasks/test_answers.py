import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamp_tasks import lamp_task
from quantrag.tasks.answers import ANSWERS, INVALID, LABEL, NO_ANSWER, SHORT, Prediction, rating
from question_tasks import question_task


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


@pytest.mark.parametrize(
    ("text", "labels", "label"),
    [
        ("我认为答案是正面的。", ["正面", "负面"], "正面"),
        ("答案是yes。", ["yes", "no"], "yes"),
        ("คำตอบคือใช่ครับ", ["ใช่", "ไม่"], "ใช่"),
        ("不正确", ["正确", "不正确"], "不正确"),
        ("дано", ["да", "нет"], None),
        ("нет!", ["да", "нет"], "нет"),
    ],
)
def test_labels_of_any_script(text, labels, label):
    assert ANSWERS[LABEL].find(text, labels) == label


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
        # Cut off at the most tokens of an answer.
        ("A Study of Cats\n\nA Study of Cats\n\nTitle:", "A Study of Cats"),
        ("Title: A Study of Cats\n**Title:**", "A Study of Cats"),
    ],
)
def test_lenient_cleans_titles(text, title):
    assert lamp_task(5).parse(text, "lenient")[:2] == (title, True)


@pytest.mark.parametrize("text", ["", "  \n ", '""', "**", "Title:", "Title:\n\nAnswer: "])
def test_no_title_is_not_valid(text):
    assert lamp_task(5).parse(text, "lenient")[:2] == ("", False)


def test_flip_keys():
    rating_key, title_key = lamp_task(3).flip_key, lamp_task(5).flip_key
    assert rating_key(Prediction("4.0", True)) == rating_key(Prediction("4", True)) == "4"
    assert rating_key(Prediction("well", False)) == INVALID
    assert title_key(Prediction("A  Title\n", True)) == "a title"


SHORT_TASK = question_task(SHORT)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Paris", "Paris"),
        (" Paris.\n", "Paris"),
        ('"Paris."', "Paris"),
        ("Answer: Paris", "Paris"),
        ("**Answer:** Paris", "Paris"),
        ("**Answer:**\nParis", "Paris"),
        ("Short answer: Paris\n\nExplanation: it is the capital.", "Paris"),
        ("A: Paris", "Paris"),
        ("The answer is Paris.", "Paris"),
        ('The answer to the question is "Paris".', "Paris"),
        ("So, the answer is Paris", "Paris"),
        ("Sure! The answer is: Paris.", "Paris"),
        ("Based on the passages, the answer is: Paris", "Paris"),
        ("Based on the information provided in the passages, the answer is Paris.", "Paris"),
        ("According to passage [1], Paris.", "Paris"),
        ("Here is the answer:\nParis", "Paris"),
        ("Let us think step by step.\nThe final answer is Paris.", "Paris"),
        # The model goes on with a question of its own.
        ("Paris\n\nQuestion: Which river?\nAnswer: The Seine", "Paris"),
        ("Paris [1].", "Paris"),
        ("Paris [1, 2]", "Paris"),
        ("Paris (see passage 2)", "Paris"),
        ("Paris (Note: taken from the text)", "Paris"),
        ("Paris. The passage says that it is the capital.", "Paris"),
        ("90%. This is stated in passage 2.", "90%"),
        ("1066. The battle took place then.", "1066"),
        ("Shen Kuo. Shen Kuo lived in China.", "Shen Kuo"),
        # Full stops that end no sentence.
        ("Mount St. Helens", "Mount St. Helens"),
        ("J. R. R. Tolkien of Oxford", "J. R. R. Tolkien of Oxford"),
        ("Prof. Jane Smith of Leeds", "Prof. Jane Smith of Leeds"),
        ("Washington, D.C.", "Washington, D.C."),
        ("3.07", "3.07"),
        # Words of refusals that refuse nothing.
        ("404 Not Found", "404 Not Found"),
        ("not available", "not available"),
        ("It is not included in the warranty", "It is not included in the warranty"),
        ("Nobody knows", "Nobody knows"),
        ("No", "No"),
        ("北京。", "北京。"),
    ],
)
def test_lenient_finds_short_answers(text, answer):
    assert SHORT_TASK.parse(text, "lenient") == (answer, True, True)


@pytest.mark.parametrize(
    "text",
    [
        "unanswerable",
        "Unanswerable.",
        "(unanswerable)",
        "Answer: unanswerable",
        "The answer is unanswerable.",
        "The question is not answerable.",
        "No answer.",
        "I don't know",
        "I don’t know.",
        "I do not have enough information to answer.",
        "Sorry, I cannot answer this question.",
        "Unfortunately, the passages do not mention the year.",
        "The passages do not contain the answer.",
        "The provided text doesn't explicitly say it. However, I think it is Paris.",
        "None of the passages mention it.",
        "not mentioned in the documents",
        "It is not mentioned in the passage.",
        "Not specified in the given context",
        "The information is not provided.",
        "The answer is not in the passages.",
        "There is no information about it in the text.",
        "This question cannot be answered from the passages.",
        "Based on the passages, it cannot be determined.",
    ],
)
def test_refusals_are_no_answer(text):
    assert SHORT_TASK.parse(text, "lenient") == (NO_ANSWER, True, True)


@pytest.mark.parametrize("text", ["", " \n", '""', "**", "``"])
def test_nothing_is_no_short_answer(text):
    assert SHORT_TASK.parse(text, "lenient") == (text.strip(), False, False)
    assert not SHORT_TASK.parse(" \n", "strict").valid


def test_strict_takes_the_whole_text():
    assert SHORT_TASK.parse(" The answer is Paris.\n", "strict").text == "The answer is Paris."
    assert SHORT_TASK.parse("I don't know", "strict").text == "I don't know"


CHATTY = st.lists(
    st.sampled_from(
        [
            *["Answer:", "The answer is", "Sure!", "Based on the passages,", "Note:", "A:"],
            *["Paris", "St.", "12.", '"', "“", "”", "*", "[1]", "(see passage 2)", "(", ")", ":"],
            *["\n", ". The city lies", ".", "is not mentioned", "Question:", "the text", "U.S."],
        ]
    ),
    max_size=8,
).map(" ".join)


@given(CHATTY | st.text())
def test_what_was_found_is_found_again(text):
    first = SHORT_TASK.parse(text, "lenient")
    if first.found:
        assert SHORT_TASK.parse(first.text, "lenient") == first


NAMES = st.lists(
    st.from_regex(r"[A-Z][a-z]{1,9}|[0-9]{1,4}(,[0-9]{3})?|St\.|de|of|[A-Z]\.", fullmatch=True),
    min_size=1,
    max_size=5,
).map(" ".join)


@given(NAMES)
def test_a_gold_is_found_as_it_is_and_in_a_sentence(gold):
    for text in (gold, f"The answer is {gold}.", f"**Answer:** “{gold}”\n\nNote: done."):
        found = SHORT_TASK.parse(text, "lenient")
        assert SHORT_TASK.is_right(found, ["other", gold])
        assert SHORT_TASK.flip_key(found) == SHORT_TASK.flip_key(Prediction(gold, True))


def test_short_answers_are_equal_after_squads_normalization():
    key = SHORT_TASK.flip_key
    assert key(Prediction("The U.S. Army", True)) == key(Prediction("us army!", True)) == "us army"
    assert SHORT_TASK.is_right(Prediction("the Army", True), ["Navy", "army."])
    assert not SHORT_TASK.is_right(Prediction("armies", True), ["army"])
    assert SHORT_TASK.is_right(Prediction(NO_ANSWER, True), [NO_ANSWER])
