"""What a task makes of an answer: which rule reads it, and whether it is right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamp_tasks import lamp_task
from quantrag.errors import UserError
from quantrag.tasks.answers import LABEL, Prediction, rating
from quantrag.tasks.task import CORPUS, Cluster, Task


@pytest.mark.parametrize(
    ("text", "valid"),
    [("4", True), (" 4.0 ", True), ("4 stars", False), ("6", False), ("nan", False), ("", False)],
)
def test_strict_is_the_whole_text(text, valid):
    assert lamp_task(3).parse(text, "strict")[:2] == (text.strip(), valid)


def test_unknown_rules_are_named():
    with pytest.raises(UserError, match=r"'loose'.*lenient, strict, paper"):
        lamp_task(3).parse("4", "loose")


@pytest.mark.parametrize(
    ("lamp", "text", "golds", "right"),
    [
        (3, "4.0", ["4"], True),
        (3, "4", ["3", "5"], False),
        (3, "5", ["3", "5"], True),
        (3, "6", ["6"], False),
        (2, "comedy", ["action", " comedy "], True),
        (2, "Comedy", ["comedy"], False),
        (5, "A Title", ["A Title"], None),
    ],
)
def test_an_answer_is_right_when_it_is_one_of_the_golds(lamp, text, golds, right):
    task = lamp_task(lamp)
    assert task.is_right(task.parse(text, "strict"), golds) is right


@given(
    st.text(), st.sampled_from([1, 2, 3, 4, 5, 7]), st.sampled_from(["lenient", "strict", "paper"])
)
def test_any_text_is_parsed_and_stays_stable(text, lamp, rule):
    prediction = lamp_task(lamp).parse(text, rule)
    assert prediction.text == prediction.text.strip()
    if lamp == 3 and prediction.valid:
        assert 1 <= rating(prediction.text) <= 5


def test_a_data_sets_own_rule_reads_before_the_general_ones():
    task = Task(
        name="t",
        dataset="a data set",
        scope=CORPUS,
        answer=LABEL,
        cluster=Cluster("page", "pages"),
        labels=("yes", "no"),
        rules={"last": lambda text: text.split()[-1]},
    )
    assert task.parse("yes and no", "lenient") == Prediction("yes", valid=True)
    assert task.parse("yes and no", "last") == Prediction("no", valid=True)
    assert task.parse("no, sir", "last") == Prediction("sir", valid=False)
    assert task.parse(" maybe ", "lenient") == Prediction("maybe", valid=False, found=False)
    with pytest.raises(UserError, match=r"'t' has no rule 'paper'.*lenient, strict, last\."):
        task.parse("yes", "paper")
