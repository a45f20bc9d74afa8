"""The JSON Schemas that follow from the typed sections: for editors, the reference and messages."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _WithoutTitles(GenerateJsonSchema):
    """Pydantic's schemas without the titles that it makes out of every key."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def get_title_from_name(self, name: str) -> str:
        return ""


@cache
def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a section with everything below it (shared: don't change it)."""
    return {"$schema": DIALECT, **_tidy(model.model_json_schema(schema_generator=_WithoutTitles))}


def _tidy(node: Any) -> Any:
    """Without the titles of classes, descriptions in one line, and names checked as such."""
    if isinstance(node, list):
        return [_tidy(part) for part in node]
    if not isinstance(node, dict):
        return node
    tidy: dict[str, Any] = {}
    for key, value in node.items():
        if (key == "title" and isinstance(value, str)) or key in tidy:
            continue
        if key == "description" and isinstance(value, str):
            tidy[key] = " ".join(value.split())
        elif key == "patternProperties":
            # A name that doesn't match would pass; below it, nothing would be checked.
            [(pattern, entry)] = value.items()
            tidy["propertyNames"] = {**node.get("propertyNames", {}), "pattern": pattern}
            tidy["additionalProperties"] = _tidy(entry)
        else:
            tidy[key] = _tidy(value)
    return tidy


def resolve(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference into `root`; what stands beside the reference wins."""
    while "$ref" in schema:
        target = root["$defs"][schema["$ref"].rpartition("/")[2]]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def without_null(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The branch of `X or null` that isn't null; any other schema as it is, resolved."""
    schema = resolve(schema, root)
    branches = [branch for branch in schema.get("anyOf", []) if branch.get("type") != "null"]
    if "anyOf" in schema and len(branches) == 1 and len(schema["anyOf"]) == 2:
        beside = {key: value for key, value in schema.items() if key != "anyOf"}
        return {**resolve(branches[0], root), **beside}
    return schema


def tagged(schema: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """The key that tells the branches of a union apart, and each branch by the key's value."""
    if "discriminator" not in schema:
        return None
    found = schema["discriminator"]
    values = {reference: value for value, reference in found["mapping"].items()}
    # In the order of the union; the mapping is sorted.
    return found["propertyName"], {values[branch["$ref"]]: branch for branch in schema["oneOf"]}
