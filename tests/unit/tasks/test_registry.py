import pytest

from quantrag.tasks.answers import ANSWERS
from quantrag.tasks.registry import (
    KINDS,
    definition,
    input_files,
    load,
    load_all,
    reader_files,
    reading,
)
from quantrag.tasks.task import CORPUS, PROFILE

LAMPS = (1, 2, 3, 4, 5, 7)


@pytest.mark.parametrize("lamp", LAMPS)
def test_a_definition_is_enough_to_load_a_task(lamp):
    entry = {"lamp": lamp, "max_queries": 3, "source": {"kind": "download"}}
    task = load("t", entry)
    again = load("t", definition(entry))
    assert (again.name, again.dataset, again.answer) == ("t", f"LaMP-{lamp}", task.answer)
    assert (again.scope, again.labels, again.cluster) == (task.scope, task.labels, task.cluster)
    assert task.answer in ANSWERS
    assert task.scope in (PROFILE, CORPUS)
    assert bool(task.labels) == (lamp in (1, 2, 3))


def test_a_definition_says_nothing_of_which_records_are_used():
    assert definition({"lamp": 3, "max_queries": 5, "split": "dev"}) == {"kind": "lamp", "lamp": 3}


def test_tasks_keep_their_order():
    names = ["b", "a", "c"]
    assert [task.name for task in load_all({name: {"lamp": 3} for name in names})] == names


@pytest.mark.parametrize("name", KINDS)
def test_kinds_have_what_the_registry_calls(name):
    kind, wanted = KINDS[name], ["define"]
    if name != "recorded":  # its items come with the answers
        wanted += ["input_files", "published_files", "typical_sizes", "is_invented"]
        wanted += ["reading", "read"]
    assert all(callable(getattr(kind, function)) for function in wanted)
    assert kind.DEFINING_KEYS


def test_only_a_reader_that_is_imported_by_name_is_named(root):
    [corpus], [split] = (reader_files({"kind": "questions"}, name) for name in (CORPUS, "train"))
    assert corpus != split
    for file in (corpus, split):
        assert (root / "workflow" / "scripts" / file).is_file()
    assert reader_files({"kind": "lamp"}, "train") == []


def test_the_training_split_has_its_own_limit(tmp_path):
    entry = {"lamp": 5, "max_queries": 7, "max_training_queries": 9, "invalid_records": "drop"}
    entry["source"] = {"kind": "local", "folder": "x"}
    assert reading(entry, "dev")["max_queries"] == 7
    assert reading(entry, "train")["max_queries"] == 9
    assert input_files(entry, "dev") == {
        "questions": "x/dev_questions.json",
        "outputs": "x/dev_outputs.json",
    }
