"""Tasks that other programs ran: what is compared are their answers or their scores.

A kind of task for `quantrag.tasks.registry`, of which nothing is read or downloaded: the items come
with the answers (`quantrag.recorded`).
"""

from collections.abc import Mapping
from typing import Any

from quantrag.tasks.task import PROFILE, Cluster, Task

#: Keys of a config entry that say what the task is.
DEFINING_KEYS = ("answer", "labels")


def define(name: str, entry: Mapping[str, Any]) -> Task:
    """The task of a config entry, of which `answer` and `labels` are read."""
    return Task(
        name=name,
        dataset=name,
        scope=PROFILE,
        answer=entry["answer"],
        labels=tuple(entry.get("labels") or ()),
        cluster=Cluster("item", "items"),
    )
