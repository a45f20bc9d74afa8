"""The kinds of task, and what each entry of the configuration's `tasks` stands for.

A kind is a module of this folder, named in `KINDS`. It has

- `DEFINING_KEYS`: the keys of a config entry that say what the task is; the others say which
  records of it are used, and where they come from;
- `define(name, entry)`: the `Task`;
- `input_files(entry, split)`: path of each file that a split ("train" for calibration) is read
  from, or a list of paths, by a name of the kind's own. Where all queries share one corpus, it is
  the split "corpus", and the others have only queries;
- `published_files(entry, split, resources)`: URL of each file that is downloaded, by its path;
- `reading(entry, split)`: what decides how a split is read, as plain values;
- `typical_sizes(entry, known)`: the sizes of `config/estimate.yaml` for the task's data set, made
  those of this entry: `queries` and `documents` of a scope;
- `is_invented(entry)`: whether a program wrote the texts, which the report then says;
- `read(reading, files)`: the tables `queries` and `documents` (`quantrag.tasks.schemas`), of a
  corpus and of queries without documents of their own one of them;
- `reader(split)`, optional: the module that `read` imports by its name.

It is imported by the Snakefile too, so only `read` may import what is slow.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quantrag.tasks import lamp, questions, recorded
from quantrag.tasks.task import Task

if TYPE_CHECKING:
    import pyarrow as pa

Entry = Mapping[str, Any]

KINDS = {"lamp": lamp, "questions": questions, "recorded": recorded}
DEFAULT_KIND = "lamp"


def load(name: str, entry: Entry) -> Task:
    """The task of a config entry, or of its `definition`."""
    return KINDS[_kind(entry)].define(name, entry)


def load_all(entries: Mapping[str, Entry]) -> list[Task]:
    """The tasks of config entries, or of their definitions, in their order."""
    return [load(name, entry) for name, entry in entries.items()]


def definition(entry: Entry) -> dict[str, Any]:
    """The part of a config entry that says what the task is, as plain values.

    Rules pass it to their scripts: with the whole entry, a stage would run again for settings that
    concern other stages, such as where the files come from.
    """
    kind = _kind(entry)
    return {"kind": kind, **{key: entry[key] for key in KINDS[kind].DEFINING_KEYS if key in entry}}


def input_files(entry: Entry, split: str) -> dict[str, str | list[str]]:
    """Path of each file that a split of a task is read from, as the rules name it, or several.

    Raises:
        UserError: a file of the user's isn't there.
    """
    return KINDS[_kind(entry)].input_files(entry, split)


def published_files(entry: Entry, split: str, resources: str) -> dict[str, str]:
    """URL of each downloaded file of a split by its path; empty where nothing is downloaded.

    Args:
        entry: an entry of the config's `tasks`, with defaults.
        split: the evaluated split's name, or "train".
        resources: folder that `<resources>` stands for.
    """
    return KINDS[_kind(entry)].published_files(entry, split, resources)


def typical_sizes(entry: Entry, known: Mapping[str, float]) -> dict[str, float]:
    """The sizes to expect of a task before its files are read.

    Args:
        entry: an entry of the config's `tasks`, with defaults.
        known: `queries`, `documents` (of a scope) and tokens of the task's data set, as
            `config/estimate.yaml` has them.
    """
    return {**known, **KINDS[_kind(entry)].typical_sizes(entry, known)}


def is_invented(entry: Entry) -> bool:
    """Whether a program wrote a task's texts, so that they say nothing about quantization."""
    return KINDS[_kind(entry)].is_invented(entry)


def reading(entry: Entry, split: str) -> dict[str, Any]:
    """What decides how a split of a task is read, as plain values, for `read`."""
    kind = _kind(entry)
    return {"kind": kind, **KINDS[kind].reading(entry, split)}


def read(reading: Mapping[str, Any], files: Mapping[str, Any]) -> dict[str, "pa.Table"]:
    """The tables of a split: `queries` and `documents`, or one of them.

    Args:
        reading: from the function of this name.
        files: a path or several, by the names of `input_files`; of queries on a corpus also
            `documents`, the table that the corpus was read into.

    Raises:
        UserError: a file is missing or wrong.
    """
    own = dict(reading)
    return KINDS[own.pop("kind")].read(own, files)


def reader_files(entry: Entry, split: str) -> list[str]:
    """The module that a split is read by, where it is imported by name; none otherwise."""
    reader = getattr(KINDS[_kind(entry)], "reader", None)
    return [f"quantrag/tasks/{reader(split)}.py"] if reader else []


def _kind(entry: Entry) -> str:
    return entry.get("kind", DEFAULT_KIND)
