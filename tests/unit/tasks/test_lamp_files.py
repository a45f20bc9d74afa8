"""The schema of `tasks`, and the paths that follow from a task's source."""

import copy
from pathlib import Path

import pytest
import yaml

from quantrag.config.loading import load_config
from quantrag.errors import UserError
from quantrag.tasks.lamp_files import lamp_url, published_files, task_file

ROOT = Path(__file__).parents[3]
DEMO = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text("utf-8"))


def checked(entry):
    """The entry as the workflow sees it: validated, with defaults."""
    raw = copy.deepcopy(DEMO)
    raw["tasks"] = {"task": entry}
    return load_config(raw).model_dump()["tasks"]["task"]


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ({"lamp": 5}, "<resources>/lamp/download/user/LaMP_5/dev_questions.json"),
        (
            {"lamp": 3, "users": "time"},
            "<resources>/lamp/download/time/LaMP_3/dev_questions.json",
        ),
        (
            {"lamp": 3, "source": {"kind": "demo"}},
            "<resources>/lamp/demo/LaMP_3-users24-profile8to40-seed0/dev_questions.json",
        ),
        (
            {"lamp": 5, "source": {"kind": "demo", "users": 3, "largest_profile": 9, "seed": 7}},
            "<resources>/lamp/demo/LaMP_5-users3-profile8to9-seed7/dev_questions.json",
        ),
        (
            {"lamp": 7, "source": {"kind": "local", "folder": "my data/"}},
            "my data/dev_questions.json",
        ),
    ],
)
def test_path_of_a_source(entry, path):
    assert task_file(checked(entry), "dev", "questions") == path


def test_split_and_part_are_in_the_name():
    task = checked({"lamp": 3, "source": {"kind": "local", "folder": "x"}})
    assert task_file(task, "train", "outputs") == "x/train_outputs.json"


def test_defaults():
    task = checked({"lamp": 5})
    assert task == {
        "kind": "lamp",
        "lamp": 5,
        "split": "dev",
        "users": "user",
        "source": {"kind": "download"},
        "invalid_records": "error",
        "max_queries": None,
        "max_training_queries": 512,
    }


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({}, ["lamp"]),
        ({"lamp": 6}, ["lamp", "6"]),
        ({"lamp": 5, "split": "train"}, ["split", "dev"]),
        ({"lamp": 5, "max_queries": 0}, ["max_queries"]),
        ({"lamp": 5, "max_query": 4}, ["max_query", "max_queries"]),
        ({"lamp": 5, "source": {"kind": "locl"}}, ["kind", "local"]),
        ({"lamp": 5, "source": {"kind": "local"}}, ["source", "folder"]),
        ({"lamp": 5, "source": {"kind": "demo", "folder": "x"}}, ["source", "folder"]),
        ({"lamp": 4, "source": {"kind": "demo"}}, ["lamp", "3, 5"]),
    ],
)
def test_mistakes_are_named(entry, words):
    with pytest.raises(UserError) as caught:
        checked(entry)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "url"),
    [
        ((5, "dev", "questions"), "LaMP_5/dev/dev_questions.json"),
        ((3, "train", "outputs", "user"), "LaMP_3/train/train_outputs.json"),
        ((3, "dev", "outputs", "time"), "time/LaMP_3/dev/dev_outputs.json"),
        ((2, "dev", "questions", "time"), "time/LaMP_2/new/dev/dev_questions.json"),
    ],
)
def test_addresses(arguments, url):
    assert lamp_url(*arguments) == f"https://ciir.cs.umass.edu/downloads/LaMP/{url}"


def test_files_that_are_published_are_known_by_their_path():
    task = {"lamp": 5, "users": "time", "source": {"kind": "download"}}
    assert published_files(task, "dev", "resources") == {
        f"resources/lamp/download/time/LaMP_5/dev_{part}.json": lamp_url(5, "dev", part, "time")
        for part in ("questions", "outputs")
    }
    assert published_files({**task, "source": {"kind": "local", "folder": "x"}}, "dev", "r") == {}
