"""Where the files of a task of kind `questions` lie, by its entry; whether they are there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quantrag.errors import UserError
from quantrag.model_files import encoder_folder
from quantrag.tasks.text_files import matching_files

#: Ends of the names of files with one record after the other.
TABLES = (".jsonl", ".csv", ".tsv", ".parquet")


def corpus_files(entry: Mapping[str, Any]) -> dict[str, list[str]]:
    """Paths of the files of `corpus`, and the folder of the `tokenizer` that cuts them.

    Args:
        entry: an entry of the config's `tasks`, with defaults.

    Raises:
        UserError: a file isn't there, or is of a kind that isn't read; names the key.
    """
    files = {"corpus": _files("corpus", entry["corpus"])}
    if entry["passages"] is not None:
        # Of a package the job finds it.
        folder = encoder_folder(entry["passages"]["tokenizer"])
        files["tokenizer"] = [folder] if folder else []
    return {name: paths for name, paths in files.items() if paths}


def question_files(entry: Mapping[str, Any]) -> dict[str, list[str]]:
    """Paths of the files of `questions`; as `corpus_files`."""
    paths = _files("questions", entry["questions"])
    return {"questions": paths} if paths else {}


def as_paths(files: Mapping[str, Any], name: str) -> list[str]:
    """The paths under a name of a job's files, which are none, one or a list."""
    paths = files.get(name, [])
    return [paths] if isinstance(paths, str) else list(paths)


def name_of(source: Mapping[str, Any]) -> str:
    """What a source is called in messages.

    Args:
        source: the section `corpus` or `questions` of a task's entry.
    """
    keys = ("files", "table", "file", "beir", "squad")
    named = next((source[key] for key in keys if source.get(key)), None)
    return named or f"data set {source['dataset']['path']}"


def check_data_set(path: str, revision: str | None) -> None:
    """Refuse a name on the Hub without a revision, since what it names can change.

    Raises:
        UserError: so it is.
    """
    if revision is None and not Path(path).is_dir():
        raise UserError(
            f"{path} is not a folder here, and a data set on the Hub needs a revision (its full "
            "commit hash)."
        )


def _files(part: str, source: Mapping[str, Any]) -> list[str]:
    key = next(key for key in _FILES if source.get(key) is not None)
    try:
        return _FILES[key](source[key], source)
    except UserError as error:
        raise UserError(f"{part}.{key}: {error}") from None


def _there(*paths: str) -> list[str]:
    for path in paths:
        if not Path(path).is_file():
            raise UserError(f"{path}: no such file.")
    return list(paths)


def _matching(pattern: str, source: Mapping[str, Any]) -> list[str]:
    paths = matching_files(pattern)
    if not paths:
        is_folder = Path(pattern).is_dir()
        near = f" (did you mean {str(Path(pattern, '**', '*.md'))!r}?)" if is_folder else ""
        raise UserError(f"{pattern!r} matches no file{near}.")
    return paths


def _table(path: str, source: Mapping[str, Any]) -> list[str]:
    if not path.lower().endswith(TABLES):
        raise UserError(f"{path}: unknown kind of table. Allowed: {', '.join(TABLES)}.")
    return _there(path)


def _beir(folder: str, source: Mapping[str, Any]) -> list[str]:
    # Only questions have a split.
    split = source.get("split")
    names = ["corpus.jsonl"] if split is None else ["queries.jsonl", f"qrels/{split}.tsv"]
    return _there(*(str(Path(folder, name)) for name in names))


def _data_set(data_set: Mapping[str, Any], source: Mapping[str, Any]) -> list[str]:
    path = data_set["path"]
    check_data_set(path, data_set["revision"])
    return sorted(map(str, filter(Path.is_file, Path(path).rglob("*"))))


_FILES = {
    "files": _matching,
    "table": _table,
    "file": _table,
    "beir": _beir,
    "squad": lambda path, source: _there(path),
    "dataset": _data_set,
}
