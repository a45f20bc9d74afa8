"""Where a task's JSON files lie, by its source, and where LaMP publishes its own."""

from collections.abc import Mapping
from typing import Any

LAMP_SERVER = "https://ciir.cs.umass.edu/downloads/LaMP"


def task_file(task: Mapping[str, Any], split: str, part: str) -> str:
    """Path of one of the two files of a task's split, as the rules name it.

    The path of a file that a rule makes holds all that shapes its content, so two experiments share
    the file where they agree and never get each other's where they don't.

    Args:
        task: an entry of the config's `tasks`, with defaults.
        split: "dev", "test" or "train".
        part: "questions" or "outputs".
    """
    source = task["source"]
    if source["kind"] == "local":
        folder = source["folder"].rstrip("/")
    elif source["kind"] == "demo":
        folder = (
            f"<resources>/lamp/demo/LaMP_{task['lamp']}-users{source['users']}"
            f"-profile{source['smallest_profile']}to{source['largest_profile']}"
            f"-seed{source['seed']}"
        )
    else:
        folder = f"<resources>/lamp/download/{task['users']}/LaMP_{task['lamp']}"
    return f"{folder}/{split}_{part}.json"


def published_files(task: Mapping[str, Any], split: str, resources: str) -> dict[str, str]:
    """URL of each downloaded file of a task's split by its path; empty for other sources.

    Args:
        task: an entry of the config's `tasks`, with defaults.
        split: "dev", "test" or "train".
        resources: folder that `<resources>` stands for.
    """
    if task["source"]["kind"] != "download":
        return {}
    return {
        task_file(task, split, part).replace("<resources>", resources): lamp_url(
            task["lamp"], split, part, task["users"]
        )
        for part in ("questions", "outputs")
    }


def lamp_url(
    lamp: int, split: str, part: str, users: str = "user", server: str = LAMP_SERVER
) -> str:
    """Where LaMP publishes a file.

    Args:
        lamp: the LaMP task, 1-5 or 7. Task 2 is the movie tagging that replaced the news
            categories of LaMP's first version.
        split: "train", "dev" or "test" (which has questions only).
        part: "questions" or "outputs".
        users: "user" for the user-based split, "time" for the time-based one.
    """
    folders = [server, *(["time"] if users == "time" else []), f"LaMP_{lamp}"]
    folders += ["new"] if lamp == 2 else []
    return "/".join([*folders, split, f"{split}_{part}.json"])
