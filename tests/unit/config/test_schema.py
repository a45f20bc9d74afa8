"""The JSON Schemas describe what the typed sections accept."""

import copy

import jsonschema
import pytest
import yaml

from quantrag.config.experiment import Experiment
from quantrag.config.schema import json_schema, resolve, tagged, without_null


def every_object(schema, root, path=""):
    """Every schema of a mapping with its path, through references and unions."""
    schema = without_null(schema, root)
    if "properties" in schema:
        yield path, schema
    for key, value in schema.get("properties", {}).items():
        yield from every_object(value, root, f"{path}.{key}")
    for branch in schema.get("oneOf", []):
        yield from every_object(branch, root, f"{path}|")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from every_object(schema["additionalProperties"], root, f"{path}.*")


def test_every_section_refuses_unknown_keys_and_explains_every_key():
    root = json_schema(Experiment)
    found = dict(every_object(root, root))
    assert {".generation.vllm", ".tasks.*|.source|", ".precisions.*|.calibration"} <= found.keys()
    for path, schema in found.items():
        assert schema["additionalProperties"] is False, path
        assert schema["description"], path
        for key, value in schema["properties"].items():
            target = resolve(value, root)
            assert target.get("description"), f"{path}.{key} has no description"
            complete = {"default", "properties", "const"} & target.keys()
            assert key in schema.get("required", []) or complete, f"{path}.{key}: no default"


def test_the_branches_of_a_union_are_found_by_their_tag():
    root = json_schema(Experiment)
    retriever = without_null(root["properties"]["retrievers"]["additionalProperties"], root)
    key, branches = tagged(retriever)
    assert key == "kind"
    assert list(branches) == ["lucene", "okapi", "dense", "order", "fusion", "rerank", "evidence"]
    assert tagged(root) is None


@pytest.mark.parametrize("name", ["config", "demo", "2026", "retrievers", "precisions-cpu"])
def test_an_editor_accepts_the_shipped_configurations(root, name):
    schema = json_schema(Experiment)
    jsonschema.Draft202012Validator.check_schema(schema)
    config = yaml.safe_load((root / "config" / f"{name}.yaml").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    assert list(validator.iter_errors(config)) == []
    for path, value in (("seed", -1), ("sed", 1), ("k", ["max_4k"]), ("tasks", {"a/b": {}})):
        assert list(validator.iter_errors({**copy.deepcopy(config), path: value})), path
