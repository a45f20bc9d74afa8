"""Where a task's JSON files lie, by its source."""

from collections.abc import Mapping
from typing import Any


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
