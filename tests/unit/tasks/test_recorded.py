"""Tasks of recorded answers are what their entry says."""

from quantrag.tasks.recorded import DEFINING_KEYS, define
from quantrag.tasks.registry import definition, load
from quantrag.tasks.task import Cluster


def test_a_task_is_its_answers_and_labels():
    entry = {"kind": "recorded", "answer": "label", "labels": ["A", "B"]}
    task = load("arc", entry)
    assert (task.name, task.dataset) == ("arc", "arc")
    assert (task.answer, task.labels) == ("label", ("A", "B"))
    assert task.cluster == Cluster("item", "items")
    assert definition(entry) == entry
    assert set(DEFINING_KEYS) == {"answer", "labels"}


def test_other_answers_have_no_labels():
    assert define("t", {"answer": "score"}).labels == ()
    assert define("t", {"answer": "text", "labels": []}).parse(" a title ", "strict").valid
