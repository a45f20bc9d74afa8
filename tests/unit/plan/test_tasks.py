"""Where the rules find a task's files, and what of the configuration its stages depend on."""

from quantrag.plan.tasks import TaskPlan
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
    assert one.template_hashes == other.template_hashes
    assert one.reading("t") != other.reading("t")
