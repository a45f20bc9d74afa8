"""LaMP's tasks for tests, by number."""

from dataclasses import replace

from quantrag.tasks import lamp
from quantrag.tasks.registry import load
from quantrag.tasks.task import Task


def lamp_task(number: int, name: str = "t") -> Task:
    return load(name, {"lamp": number})


def in_a_corpus(monkeypatch) -> None:
    """Have LaMP's tasks share one corpus each."""
    define = lamp.define
    monkeypatch.setattr(lamp, "define", lambda *entry: replace(define(*entry), scope="corpus"))
