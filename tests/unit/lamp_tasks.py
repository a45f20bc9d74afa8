"""LaMP's tasks for tests, by number."""

from quantrag.tasks.registry import load
from quantrag.tasks.task import Task


def lamp_task(number: int, name: str = "t") -> Task:
    return load(name, {"lamp": number})
