"""Questions on a corpus of anyone's documents.

A kind of task for `quantrag.tasks.registry`, which describes what such a module has.
"""

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quantrag.tasks import question_files
from quantrag.tasks.answers import RATING, RATINGS
from quantrag.tasks.task import CORPUS, Cluster, Task

if TYPE_CHECKING:
    import pyarrow as pa

#: Keys of a config entry that say what the task is; the others say which records of it are used.
DEFINING_KEYS = ("answer", "labels", "group")


def define(name: str, entry: Mapping[str, Any]) -> Task:
    """The task of a config entry, of which the `DEFINING_KEYS` are read."""
    answer, group = entry["answer"], entry.get("group")
    return Task(
        name=name,
        dataset=f"questions-{answer}",
        scope=CORPUS,
        answer=answer,
        labels=RATINGS if answer == RATING else tuple(entry.get("labels") or ()),
        cluster=Cluster("group", "groups") if group else Cluster("question", "questions"),
        # A passage's title says what it is about, which its own words often don't.
        target_is_searched=True,
    )


def input_files(entry: Mapping[str, Any], split: str) -> dict[str, list[str]]:
    """Paths of the files that the corpus or a split of the questions is read from.

    Raises:
        UserError: a file isn't there, or is of a kind that isn't read; names the key.
    """
    if split == CORPUS:
        return question_files.corpus_files(entry)
    return question_files.question_files(entry)


def published_files(entry: Mapping[str, Any], split: str, resources: str) -> dict[str, str]:
    """None: the job that reads a data set on the Hub downloads it, at a pinned revision."""
    return {}


def typical_sizes(entry: Mapping[str, Any], known: Mapping[str, float]) -> dict[str, float]:
    """Queries of the task and tokens of a passage, given those of the data set."""
    queries = min(known["queries"], entry["max_queries"] or known["queries"])
    passages = entry["passages"]
    tokens = known["document_tokens"] if passages is None else passages["tokens"]
    return {"queries": queries, "document_tokens": tokens}


def is_invented(entry: Mapping[str, Any]) -> bool:
    """Never: the texts are the user's."""
    return False


def reading(entry: Mapping[str, Any], split: str) -> dict[str, Any]:
    """What decides how the corpus or a split is read, as plain values.

    "train" is what is held out. Nothing of the questions decides how the corpus is read, or it
    would be indexed again for every change of them.
    """
    if split == CORPUS:
        return {key: entry[key] for key in ("corpus", "passages", "invalid_records")}
    is_training = split == "train"
    keys = ("questions", "answer", "labels", "group", "held_out", "invalid_records")
    return {
        **{key: entry[key] for key in keys},
        "max_queries": None if is_training else entry["max_queries"],
        "is_training": is_training,
    }


def reader(split: str) -> str:
    """The module that reads the corpus or a split of the questions.

    Imported by its name, since it needs packages (and is code) that only the rule with its job has;
    every other script that asks what a task is comes here too.
    """
    return "corpus_reader" if split == CORPUS else "questions_reader"


def read(reading: Mapping[str, Any], files: Mapping[str, Any]) -> dict[str, "pa.Table"]:
    """Tables of the corpus or of a split; raises UserError where its files are wrong.

    Args:
        reading: from the function of this name.
        files: paths, by the names of `input_files`; of a split also the table of `documents`.
    """
    name = reader(CORPUS if "corpus" in reading else "evaluated")
    return importlib.import_module(f"quantrag.tasks.{name}").read(reading, files)
