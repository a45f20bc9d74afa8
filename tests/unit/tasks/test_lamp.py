import pytest

from lamp_tasks import lamp_task
from quantrag.tasks.lamp import is_invented, typical_sizes

DEMO = {"kind": "demo", "users": 16, "smallest_profile": 8, "largest_profile": 40}
KNOWN = {"queries": 2500, "documents": 190}


@pytest.mark.parametrize(
    ("lamp", "answer", "labels", "target_is_searched"),
    [
        (1, "label", 2, True),
        (2, "label", 15, False),
        (3, "rating", 5, False),
        (4, "text", 0, True),
        (5, "text", 0, True),
        (7, "text", 0, False),
    ],
)
def test_what_each_task_is(lamp, answer, labels, target_is_searched):
    task = lamp_task(lamp)
    assert (task.dataset, task.scope, task.cluster.plural) == (f"LaMP-{lamp}", "profile", "users")
    assert (task.answer, len(task.labels)) == (answer, labels)
    assert task.target_is_searched == target_is_searched


@pytest.mark.parametrize(
    ("source", "most", "queries", "documents"),
    [
        ({"kind": "download"}, None, 2500, 190),
        ({"kind": "download"}, 100, 100, 190),
        ({"kind": "local", "folder": "x"}, 9999, 2500, 190),
        (DEMO, None, 16, 24),
        (DEMO, 10, 10, 24),
    ],
)
def test_sizes_before_anything_is_read(source, most, queries, documents):
    sizes = typical_sizes({"source": source, "max_queries": most}, KNOWN)
    assert sizes == {"queries": queries, "documents": documents}


def test_only_the_demo_is_invented():
    assert is_invented({"source": DEMO})
    assert not is_invented({"source": {"kind": "download"}})


@pytest.mark.parametrize(
    ("text", "lamp", "prediction"),
    [
        # The released code looks at single characters...
        ("10 of 10", 3, "1"),
        ("no rating", 3, "0"),
        ('Title: "A Study of Cats"', 5, "A Study of Cats"),
        ("Title: A Study of Cats</s>", 5, "A Study of Cats"),
        ("A Study of Cats Note: short", 5, "A Study of Cats"),
        ("A Study</EXAMPLES> of Cats", 5, "A Study"),
        # ... and keeps what follows the first line break, not what precedes it.
        ("A Study of Cats\nIt is about cats.", 5, "It is about cats."),
        ('He said "Cats" twice', 5, "Cats"),
        ("  A headline ", 4, "A headline"),
    ],
)
def test_paper_does_as_the_released_code(text, lamp, prediction):
    assert lamp_task(lamp).parse(text, "paper").text == prediction


def test_a_missing_rating_of_the_paper_is_not_valid():
    assert not lamp_task(3).parse("none", "paper").valid
