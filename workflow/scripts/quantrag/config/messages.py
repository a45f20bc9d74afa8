"""What the user reads when the configuration is wrong: where, what, and what is allowed."""

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from quantrag.config.schema import json_schema, resolve, tagged, without_null
from quantrag.section import Mistake, shown

_KINDS = {
    "integer": "an integer",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
_TYPE_ERRORS = {
    **dict.fromkeys(("int_type", "int_from_float"), "integer"),
    **dict.fromkeys(("float_type",), "number"),
    **dict.fromkeys(("string_type", "string_sub_type"), "string"),
    **dict.fromkeys(("bool_type",), "boolean"),
    **dict.fromkeys(("list_type",), "array"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "object"),
}
_BOUNDS = {
    "greater_than_equal": ("small", "at least", "ge"),
    "greater_than": ("small", "more than", "gt"),
    "less_than_equal": ("large", "at most", "le"),
    "less_than": ("large", "less than", "lt"),
}


def first_mistake(error: ValidationError, model: type[BaseModel]) -> tuple[list[str], str]:
    """Path of the key that is wrong, and what is wrong with what is allowed.

    Args:
        error: what pydantic found in something that should have been a `model`.
        model: the section that was validated.

    Returns:
        Of several mistakes an unknown key, which is often why another key is missing; else the
        first by its path.
    """
    root = json_schema(model)
    details = error.errors(include_url=False)
    unknown = ("extra_forbidden", "invalid_key")
    chosen = min(details, key=lambda d: (d["type"] not in unknown, [str(p) for p in d["loc"]]))
    return describe(chosen, root)


def describe(detail: Mapping[str, Any], root: Mapping[str, Any]) -> tuple[list[str], str]:
    """Path and message of one of pydantic's errors.

    Args:
        detail: one entry of `ValidationError.errors()`.
        root: the JSON Schema of what was validated.
    """
    path, schema, parent = _locate(detail["loc"], root)
    kind, value, context = detail["type"], detail.get("input"), detail.get("ctx", {})
    match kind:
        case "value_error" if isinstance(context["error"], Mistake):
            return [*path, *context["error"].path], str(context["error"])
        case "extra_forbidden" | "invalid_key":
            return path, "unknown key" + choices(path[-1], parent.get("properties", {}))
        case "missing":
            return path[:-1], f"the key {path[-1]!r} is missing" + _allowed(schema)
        case "union_tag_not_found":
            key, branches = tagged(schema)
            return path, f"the key {key!r} is missing. Allowed: {', '.join(branches)}"
        case "union_tag_invalid":
            key, branches = tagged(schema)
            given = value[key]
            return [*path, key], f"{shown(given)} is not allowed" + choices(given, branches)
        case "literal_error":
            allowed = schema.get("enum", [schema.get("const")])
            unquoted = [option for option in allowed if option is not None and str(option) == value]
            near = f" (did you mean {unquoted[0]}?)" if unquoted else None
            return path, f"{shown(value)} is not allowed" + choices(value, allowed, near)
        case "finite_number":
            return path, f"{shown(value)} is not allowed. Allowed: finite numbers"
        case "string_too_short":
            return path, "empty. Allowed: at least one character"
        case "too_short":
            if not value:
                return path, "empty. Allowed: at least one entry"
            return path, f"too few entries. Allowed: at least {context['min_length']}"
        case "string_too_long":
            longest = context["max_length"]
            return path, f"{shown(value)} is too long. Allowed: at most {longest} characters"
    if kind in _BOUNDS:
        size, relation, bound = _BOUNDS[kind]
        allowed = f"{relation} {_number(context[bound])}"
        return path, f"{shown(value)} is too {size}. Allowed: {allowed}"
    if kind in _TYPE_ERRORS:
        return path, _wrong_type(value, _TYPE_ERRORS[kind], schema)
    return path, " ".join(detail["msg"].split())


def _locate(
    location: Sequence[str | int], root: Mapping[str, Any]
) -> tuple[list[str], Mapping[str, Any], Mapping[str, Any]]:
    """The keys of one of pydantic's locations, and the schemas of the last key and its parent.

    A location also has the tags of unions, and `[key]` where the name of an entry is wrong.
    """
    path: list[str] = []
    schema, parent = root, root
    for part in location:
        if part == "[key]":
            return path[:-1], {"type": "string"}, parent
        schema = without_null(schema, root)
        union = tagged(schema)
        if union and part in union[1]:
            schema = resolve(union[1][part], root)
            continue
        path.append(str(part))
        parent = schema
        if part in schema.get("properties", {}):
            schema = schema["properties"][part]
        else:
            schema = schema.get("additionalProperties") or schema.get("items") or {}
            schema = schema if isinstance(schema, Mapping) else {}
    nullable = {"type": "null"} in resolve(schema, root).get("anyOf", [])
    return path, {**without_null(schema, root), "nullable": nullable}, parent


def _wrong_type(value: Any, kind: str, schema: Mapping[str, Any]) -> str:
    expected = _KINDS[kind] + (" or null" if schema.get("nullable") else "")
    text = f"{shown(value)} is not {expected}"
    near = _near(value, kind)
    if near is not None:
        return f"{text} (did you mean {near}?)"
    union = tagged(schema)
    if union is not None:
        key, branches = union
        if value in list(branches):
            text += f" (did you mean {{{key}: {value}}}?)"
        return f"{text}. Allowed: a mapping with {key}: {', '.join(branches)}"
    return text + _allowed(schema)


def _near(value: Any, kind: str) -> str | None:
    """What the user may have meant by a value of another type."""
    if kind in ("integer", "number") and isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
        if kind == "number" and math.isfinite(value):
            return _number(value)
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return str(int(value))
    if kind == "string" and isinstance(value, bool | int | float):
        return repr(shown(value))
    if kind == "array" and isinstance(value, str | int | float):
        return f"[{value}]"
    return None


def _allowed(schema: Mapping[str, Any]) -> str:
    """The end of a message: the values of a short list, or the default."""
    if "enum" in schema:
        return f". Allowed: {', '.join(_bare(value) for value in schema['enum'])}"
    return f". Default: {shown(schema['default'])}" if "default" in schema else ""


def _bare(value: Any) -> str:
    return value if isinstance(value, str) else shown(value)


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)


def choices(value: Any, allowed: Iterable[Any], near: str | None = None) -> str:
    """The end of a message: the allowed values, and the closest one if there is a typo."""
    names = [_bare(name) for name in allowed]
    close = difflib.get_close_matches(_bare(value), names, n=1)
    hint = near or (f" (did you mean {close[0]!r}?)" if close else "")
    return f"{hint}. Allowed: {', '.join(names)}"


def dotted(path: Sequence[str]) -> str:
    """A path of keys as people write it: `retrievers.bm25.k1`."""
    plain = (key if key.isprintable() and len(key) <= 80 else shown(key) for key in path)
    return ".".join(plain) or "(top level)"
