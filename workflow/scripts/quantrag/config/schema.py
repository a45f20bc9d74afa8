"""The JSON Schemas under `workflow/schemas/`: loading them, and applying their defaults."""

import copy
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

SCHEMA_FOLDER = Path(__file__).parents[3] / "schemas"
ROOT_SCHEMA = "config.schema.yaml"


@cache
def load_schema(name: str) -> dict[str, Any]:
    """One schema of `workflow/schemas/` as a dict (shared: don't change it)."""
    return yaml.safe_load((SCHEMA_FOLDER / name).read_text(encoding="utf-8"))


def _retrieve(uri: str) -> Resource:
    return Resource(contents=load_schema(uri), specification=DRAFT202012)


@cache
def validator() -> Draft202012Validator:
    """The validator of the whole configuration."""
    return Draft202012Validator(load_schema(ROOT_SCHEMA), registry=Registry(retrieve=_retrieve))


def resolve(
    schema: Mapping[str, Any], root: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Follow a `$ref` (another schema file, or `#/$defs/...` in `root`): (schema, its root)."""
    while "$ref" in schema:
        name, _, pointer = schema["$ref"].partition("#")
        root = load_schema(name) if name else root
        schema = root
        for part in pointer.strip("/").split("/") if pointer else []:
            schema = schema[part]
    return schema, root


def discriminator(branches: Sequence[Mapping[str, Any]]) -> str | None:
    """The property that tells the branches of a `oneOf` apart: the one with a `const` in each."""
    shared = set.intersection(
        *({k for k, v in b.get("properties", {}).items() if "const" in v} for b in branches)
    )
    return min(shared) if shared else None


def branch_of(
    instance: Any, branches: Sequence[Mapping[str, Any]], root: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """The branch of a `oneOf` whose discriminating property has the instance's value."""
    resolved = [resolve(branch, root)[0] for branch in branches]
    key = discriminator(resolved)
    if key is None or not isinstance(instance, Mapping):
        return None
    return next((b for b in resolved if b["properties"][key]["const"] == instance.get(key)), None)


def with_defaults(
    instance: Any, schema: Mapping[str, Any], root: Mapping[str, Any] | None = None
) -> Any:
    """The instance (valid by `schema`) with the schema's defaults where it says nothing."""
    schema, root = resolve(schema, schema if root is None else root)
    if isinstance(instance, Mapping):
        result = dict(instance)
        if "oneOf" in schema:
            branch = branch_of(instance, schema["oneOf"], root)
            if branch is not None:
                result = with_defaults(result, branch, root)
        properties = schema.get("properties", {})
        for key, subschema in properties.items():
            target, target_root = resolve(subschema, root)
            if key in result:
                result[key] = with_defaults(result[key], target, target_root)
            elif "default" in subschema or "default" in target:
                default = copy.deepcopy(subschema.get("default", target.get("default")))
                result[key] = with_defaults(default, target, target_root)
            elif (
                target.get("type") == "object"
                and not target.get("required")
                and "properties" in target
            ):
                result[key] = with_defaults({}, target, target_root)
        extra = schema.get("additionalProperties")
        if isinstance(extra, Mapping):
            for key in result.keys() - properties.keys():
                result[key] = with_defaults(result[key], extra, root)
        return result
    if isinstance(instance, list) and isinstance(schema.get("items"), Mapping):
        return [with_defaults(item, schema["items"], root) for item in instance]
    return instance
