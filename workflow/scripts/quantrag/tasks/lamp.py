"""The tasks of LaMP (arXiv 2304.11406): what they are, and how their files become tables.

A kind of task for `quantrag.tasks.registry`, which describes what such a module has.
"""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from quantrag.tasks import lamp_files
from quantrag.tasks.answers import LABEL, RATING, RATINGS, TEXT
from quantrag.tasks.lamp_layouts import LAYOUTS
from quantrag.tasks.task import PROFILE, Cluster, Task

if TYPE_CHECKING:
    import pyarrow as pa

#: Keys of a config entry that say what the task is; the others say which records of it are used.
DEFINING_KEYS = ("lamp",)

_QUOTED = re.compile(r'"([^"]*)"')


def define(name: str, entry: Mapping[str, Any]) -> Task:
    """The task of a config entry, of which the key `lamp` (the task's number) is read."""
    number = entry["lamp"]
    layout = LAYOUTS[number]
    labelled = RATING if layout.labels == RATINGS else LABEL
    return Task(
        name=name,
        dataset=f"LaMP-{number}",
        scope=PROFILE,
        answer=labelled if layout.labels else TEXT,
        labels=layout.labels,
        cluster=Cluster("user", "users"),
        target_is_searched=layout.target_is_searched,
        rules={"paper": _paper_rule(number)},
    )


def input_files(entry: Mapping[str, Any], split: str) -> dict[str, str]:
    """Path of each file that a split is read from, as the rules name it."""
    return {part: lamp_files.task_file(entry, split, part) for part in ("questions", "outputs")}


def published_files(entry: Mapping[str, Any], split: str, resources: str) -> dict[str, str]:
    """URL of each downloaded file of a split by its path; `resources` replaces <resources>."""
    return lamp_files.published_files(entry, split, resources)


def typical_sizes(entry: Mapping[str, Any], known: Mapping[str, float]) -> dict[str, float]:
    """Queries and documents of a user, given those of the data set."""
    source, queries, documents = entry["source"], known["queries"], known["documents"]
    if source["kind"] == "demo":
        queries = source["users"]
        documents = (source["smallest_profile"] + source["largest_profile"]) / 2
    return {"queries": min(queries, entry["max_queries"] or queries), "documents": documents}


def is_invented(entry: Mapping[str, Any]) -> bool:
    """Whether the texts are the demo's."""
    return entry["source"]["kind"] == "demo"


def reading(entry: Mapping[str, Any], split: str) -> dict[str, Any]:
    """What decides how a split is read, as plain values."""
    is_training = split == "train"
    return {
        "lamp": entry["lamp"],
        "max_queries": entry["max_training_queries" if is_training else "max_queries"],
        "invalid_records": entry["invalid_records"],
        # LaMP's own files have thousands: with fewer, what was downloaded isn't one of them.
        "at_least": 100 if entry["source"]["kind"] == "download" else 1,
    }


def read(reading: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, "pa.Table"]:
    """The tables of a split; raises UserError where its files are wrong.

    Args:
        reading: from the function of this name.
        files: paths, by the names of `input_files`.
    """
    # Imported here: the Snakefile's process, which only wants paths, has no need of pyarrow.
    from quantrag.tasks.lamp_reader import read_task

    queries, documents = read_task(files["questions"], files["outputs"], **reading)
    return {"queries": queries, "documents": documents}


def _paper_rule(number: int) -> Callable[[str], str]:
    """As the released code of Yazan et al. (2024, arXiv 2406.10251) reads answers, with its slips.

    Of a LaMP-5 answer with several lines it keeps what comes *after* the first line break, and a
    rating that is not there becomes 0.
    """
    return {3: _paper_rating, 5: _paper_title}.get(number, str.strip)


def _paper_rating(text: str) -> str:
    return next((character for character in text if character in "12345"), "0")


def _paper_title(text: str) -> str:
    quoted = _QUOTED.search(text)
    title = quoted.group(1) if quoted else text.strip('"')
    title = title[title.find("Title:") + len("Title:") :] if "Title:" in title else title
    title = title.strip().split("</EXAMPLES>")[0].strip()
    title = title.split("</s>")[0].split("Note:")[0].strip()
    # The slip: the code means to drop what follows the first line break, and keeps only that.
    _, line_break, after = title.partition("\n")
    return after.strip() if line_break else title
