"""Reading the files of a configuration, with one line for each way in which that fails."""

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from quantrag.errors import UserError


class _Loader(yaml.SafeLoader):
    """YAML in which no key stands twice; PyYAML takes the last one without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """The mapping of a node, as in PyYAML."""
        lines: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            # The keys that `<<` brings may well be overruled.
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if isinstance(key, Hashable) and key in lines:
                raise _Duplicate(
                    f"line {line}: the key {key!r} stands already in line {lines[key]}"
                )
            if isinstance(key, Hashable):
                lines[key] = line
        return super().construct_mapping(node, deep)


class _Duplicate(Exception):
    """A key that stands twice."""


def read_mapping(path: str | Path) -> dict[Any, Any]:
    """Content of a YAML or JSON file whose top level is a mapping.

    Raises:
        UserError: there is no such file, it is neither YAML nor JSON, a key stands twice, or its
            top level is empty or no mapping.
    """
    path = Path(path).absolute()
    try:
        status = path.stat()
        return _read(path, (status.st_mtime_ns, status.st_size))
    except FileNotFoundError:
        raise UserError(f"{display(path)}: no such file") from None
    except OSError as error:
        raise UserError(f"{display(path)}: {error.strerror or error}") from None


@cache
def _read(path: Path, _version: tuple[int, int]) -> dict[Any, Any]:
    name = display(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = _parse(text)
    except UnicodeDecodeError:
        raise UserError(f"{name}: not a text file in UTF-8") from None
    except _Duplicate as error:
        raise UserError(f"{name}: {error}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        problem = " ".join(f"{error.problem or error.context}".split())
        raise UserError(f"{name}: {where}not valid YAML: {problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = " ".join(str(error).split())
        raise UserError(f"{name}: not valid YAML: {problem}") from None
    if _contains_itself(content):
        raise UserError(f"{name}: an alias (*name) stands inside of what it refers to")
    if content is None:
        raise UserError(f"{name}: the file is empty. Allowed: keys with values (key: value)")
    if not isinstance(content, dict):
        kind = "a list" if isinstance(content, list) else "a single value"
        message = f"{kind} instead of keys at the top level. Allowed: keys with values (key: value)"
        raise UserError(f"{name}: {message}")
    return content


def _parse(text: str) -> Any:
    """JSON, else YAML, which is the order in which Snakemake tries them."""
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except ValueError:
        return yaml.load(text, Loader=_Loader)


def _contains_itself(node: Any, above: tuple[int, ...] = (), seen: set[int] | None = None) -> bool:
    """Whether an alias makes a list or mapping part of itself."""
    seen = set() if seen is None else seen
    if not isinstance(node, dict | list) or id(node) in seen:
        return id(node) in above
    seen.add(id(node))
    parts = node.values() if isinstance(node, dict) else node
    return any(_contains_itself(part, (*above, id(node)), seen) for part in parts)


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _Duplicate(f"the key {key!r} stands twice")
        found[key] = value
    return found


def check_files(files: Sequence[str | Path]) -> None:
    """Check that every file of a configuration can be read, before Snakemake tries it.

    Raises:
        UserError: as `read_mapping`; `--configfile` takes every name that follows it, so that a
            target behind it ends up here.
    """
    for file in files:
        path = Path(file)
        if not path.exists() and path.suffix not in (".yaml", ".yml", ".json"):
            raise UserError(
                f"{file}: no such configuration file. --configfile takes every name that follows "
                "it: a target stands before it, or after --"
            )
        read_mapping(path)


def origin(
    path: Sequence[str], files: Sequence[str | Path], command_line: Mapping[str, Any]
) -> str:
    """Where a key was given: the command line, or else the last of the files that holds it."""
    if path and _holds(command_line, path):
        return "--config"
    for file in reversed(list(files)):
        if _holds(read_mapping(file), path):
            return display(file)
    # A missing key is in no file: the last file is where it belongs.
    return display(files[-1]) if files else "--config"


def _holds(node: Any, path: Sequence[str]) -> bool:
    for key in path:
        if isinstance(node, Mapping) and key in {str(k) for k in node}:
            node = next(value for k, value in node.items() if str(k) == key)
        elif isinstance(node, list) and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
        else:
            return False
    return True


def display(file: str | Path) -> str:
    """A path relative to the working directory where that is shorter."""
    path = Path(file).absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
