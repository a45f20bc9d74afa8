"""What the user reads when the configuration is wrong: where, what, and what is allowed."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jsonschema.exceptions import ValidationError

from quantrag.config.schema import ROOT_SCHEMA, discriminator, load_schema, resolve


def most_specific(error: ValidationError) -> ValidationError:
    """The error that the user made, inside the branch of a `oneOf`/`anyOf` that the user meant."""
    while error.validator in ("oneOf", "anyOf") and error.context:
        branches: dict[int, list[ValidationError]] = {}
        for suberror in error.context:
            branches.setdefault(suberror.schema_path[0], []).append(suberror)
        meant = [b for b in branches.values() if not any(e.validator == "const" for e in b)]
        if len(meant) != 1:
            return error
        error = min(meant[0], key=lambda e: e.validator != "additionalProperties")
    return error


def describe(error: ValidationError) -> tuple[list[str], str]:
    """Path of the offending key, and what is wrong with what is allowed."""
    path = [str(part) for part in error.absolute_path]
    value, allowed = error.instance, error.validator_value
    match error.validator:
        case "additionalProperties":
            known = error.schema.get("properties", {})
            unknown = min(key for key in value if key not in known)
            return [*path, unknown], "unknown key" + choices(unknown, known)
        case "required":
            missing = next(key for key in allowed if key not in value)
            return path, f"the key {missing!r} is missing"
        case "type":
            types = allowed if isinstance(allowed, list) else [allowed]
            return path, f"{value!r} is no {' or '.join(types)}" + _example(error.schema)
        case "enum":
            return path, f"{value!r} is not allowed" + choices(value, allowed)
        case "const":
            return path, f"{value!r} is not allowed. Allowed: {allowed}"
        case "minimum" | "exclusiveMinimum":
            relation = "at least" if error.validator == "minimum" else "more than"
            return path, f"{value!r} is too small. Allowed: {relation} {allowed}"
        case "maximum" | "exclusiveMaximum":
            relation = "at most" if error.validator == "maximum" else "less than"
            return path, f"{value!r} is too large. Allowed: {relation} {allowed}"
        case "pattern":
            return path, f"{value!r} doesn't have the right form. Allowed: {allowed}"
        case "not":
            return path, f"{value!r} is a name that the workflow keeps for itself"
        case "minProperties" | "minItems":
            return path, f"empty. Allowed: at least {allowed}"
        case "uniqueItems":
            return path, f"{value!r} repeats an entry"
        case "oneOf" | "anyOf":
            return _describe_union(path, error)
        case _:
            return path, error.message


def _describe_union(path: list[str], error: ValidationError) -> tuple[list[str], str]:
    branches = error.validator_value
    resolved = [resolve(branch, load_schema(ROOT_SCHEMA))[0] for branch in branches]
    key = discriminator(resolved)
    if key is not None and isinstance(error.instance, Mapping):
        values = [branch["properties"][key]["const"] for branch in resolved]
        if key not in error.instance:
            return path, f"the key {key!r} is missing. Allowed: {', '.join(map(str, values))}"
        value = error.instance[key]
        return [*path, key], f"{value!r} is not allowed" + choices(value, values)
    allowed = " or ".join(_form(branch) for branch in resolved)
    return path, f"{error.instance!r} is not allowed. Allowed: {allowed}"


def _form(schema: Mapping[str, Any]) -> str:
    if "const" in schema:
        return repr(schema["const"])
    if "enum" in schema:
        return ", ".join(map(repr, schema["enum"]))
    form = (
        " or ".join(schema["type"])
        if isinstance(schema.get("type"), list)
        else schema.get("type", "a value")
    )
    if "pattern" in schema:
        form += f" of the form {schema['pattern']}"
    if "minimum" in schema:
        form += f" >= {schema['minimum']}"
    return form


def _example(schema: Mapping[str, Any]) -> str:
    return f". Default: {schema['default']!r}" if "default" in schema else ""


def choices(value: Any, allowed: Iterable[Any]) -> str:
    """The end of a message: the allowed values, and the closest one if there is a typo."""
    names = [str(name) for name in allowed]
    close = difflib.get_close_matches(str(value), names, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"{hint}. Allowed: {', '.join(names)}"


def dotted(path: Sequence[str]) -> str:
    """A path of keys as people write it: `retrievers.bm25.k1`."""
    return ".".join(path) or "(top level)"


def origin(path: Sequence[str], files: Sequence[str | Path]) -> str:
    """The last of the files that holds the key, or the command line."""
    for file in reversed(list(files)):
        node = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
        depth = 0
        for key in path:
            if isinstance(node, Mapping) and key in {str(k) for k in node}:
                node = next(v for k, v in node.items() if str(k) == key)
            elif isinstance(node, list) and key.isdigit() and int(key) < len(node):
                node = node[int(key)]
            else:
                break
            depth += 1
        if depth == len(path):
            return display(file)
    # A missing key is in no file: the last file is where it belongs.
    return display(files[-1]) if files else "--config"


def display(file: str | Path) -> str:
    """A path relative to the working directory where that is shorter."""
    path = Path(file).absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
