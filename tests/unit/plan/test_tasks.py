"""Where the rules find a task's files, and what of the configuration its stages depend on."""

import pytest

from handbook import write_handbook
from quantrag.errors import UserError
from quantrag.plan.tasks import TaskDefinitions, TaskPlan
from quantrag.tasks.settings import QuestionsTask
from quantrag.tasks.task import CORPUS
from shipped_experiments import experiment

TASKS = {
    "downloaded": {"lamp": 3, "users": "time"},
    "mine": {"lamp": 5, "split": "test", "source": {"kind": "local", "folder": "data"}},
}


def test_files_of_the_evaluated_and_the_train_split():
    tasks = TaskPlan(experiment(tasks=TASKS))
    assert tasks.files("mine") == {
        "questions": "data/test_questions.json",
        "outputs": "data/test_outputs.json",
    }
    assert tasks.files("mine", "train")["outputs"] == "data/train_outputs.json"
    assert tasks.files("downloaded")["questions"] == (
        "<resources>/lamp/download/time/LaMP_3/dev_questions.json"
    )


def test_downloaded_files_have_a_url():
    tasks = TaskPlan(experiment(tasks=TASKS))
    assert tasks.published("mine", "resources") == {}
    urls = tasks.published("downloaded", "resources", "train")
    assert set(urls) == {
        f"resources/lamp/download/time/LaMP_3/train_{part}.json"
        for part in ("questions", "outputs")
    }
    assert all(url.startswith("https://") and "/time/LaMP_3/train/" in url for url in urls.values())


def test_what_a_task_is_does_not_depend_on_where_its_files_are():
    one = TaskPlan(experiment(tasks={"t": {"lamp": 3}}))
    other = TaskPlan(
        experiment(tasks={"t": {"lamp": 3, "source": {"kind": "demo"}, "max_queries": 5}})
    )
    assert one.definitions == other.definitions
    assert one.wordings == other.wordings
    assert one.reading("t") != other.reading("t")


def test_files_of_questions_are_those_that_are_there(tmp_path):
    entry = write_handbook(tmp_path)
    tasks = TaskDefinitions({"handbook": QuestionsTask.model_validate(entry)})
    assert tasks.corpora
    assert tasks.files("handbook") == tasks.files("handbook", "train")
    assert tasks.files("handbook") == {"questions": [f"{tmp_path}/questions.jsonl"]}
    pages = [f"{tmp_path}/handbook/{name}.md" for name in ("leave", "pay")]
    assert tasks.files("handbook", CORPUS) == {"corpus": pages}
    assert not tasks.reading("handbook")["is_training"]
    assert tasks.reading("handbook", "train")["is_training"]
    assert not TaskPlan(experiment(tasks=TASKS)).corpora


def test_a_pattern_that_matches_nothing_is_refused_when_the_workflow_is_planned(tmp_path):
    entry = {**write_handbook(tmp_path), "corpus": {"files": "nowhere/*.md"}, "held_out": 0.5}
    with pytest.raises(UserError, match=r"^tasks\.t\.corpus\.files: 'nowhere/\*\.md' matches no"):
        TaskPlan(experiment(tasks={"t": entry}))
