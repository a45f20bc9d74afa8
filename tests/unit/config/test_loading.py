"""A wrong configuration is one line that says where, what, and what is allowed."""

import copy
import re

import pytest
import yaml

from quantrag.config.loading import load_config
from quantrag.config.reference import README, config_reference
from quantrag.config.schema import ROOT_SCHEMA, SCHEMA_FOLDER, load_schema, resolve, with_defaults
from quantrag.errors import UserError


@pytest.fixture
def demo(request):
    path = request.config.rootpath / "config" / "demo.yaml"
    return yaml.safe_load(path.read_text())


def changed(config, path, value):
    """A copy of `config` with `value` at the dotted `path`."""
    config = copy.deepcopy(config)
    *parents, last = path.split(".")
    node = config
    for key in parents:
        node = node.setdefault(key, {})
    node[last] = value
    return config


def message(config, files=()):
    with pytest.raises(UserError) as caught:
        load_config(config, files)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("name", ["config.yaml", "demo.yaml"])
def test_the_shipped_configurations_are_valid(request, name):
    path = request.config.rootpath / "config" / name
    config = load_config(yaml.safe_load(path.read_text()), [path])
    assert all(isinstance(k, str) for k in config["k"])
    assert set(config["generation"]) >= {"engine", "max_new_tokens"}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("retreivers", {}, r"retreivers: unknown key \(did you mean 'retrievers'\?\)"),
        ("tasks.LaMP-3U.lampp", 3, r"tasks\.LaMP-3U\.lampp: unknown key \(did you mean 'lamp'\?\)"),
        ("tasks.LaMP-3U.lamp", 6, r"tasks\.LaMP-3U\.lamp: 6 is not allowed.*1, 2, 3, 4, 5, 7"),
        ("tasks.LaMP-3U.source.kind", "demoo", r"source\.kind: 'demoo'.*did you mean 'demo'"),
        ("retrievers.bm25.kind", "lucen", r"bm25\.kind: 'lucen'.*did you mean 'lucene'.*dense"),
        ("retrievers.none", {"kind": "lucene"}, r"'none' is a name that the workflow keeps"),
        (
            "precisions.noise-floor",
            {"method": "none"},
            r"'noise-floor' is a name that the workflow",
        ),
        ("precisions.bf16.method", "gptqq", r"bf16\.method: 'gptqq'.*did you mean 'gptq'"),
        ("baseline", "fp16", r"baseline: 'fp16' is no precision.*Allowed: bf16, int4-gptq"),
        ("seed", "one", r"seed: 'one' is no integer"),
        ("seed", -1, r"seed: -1 is too small. Allowed: at least 0"),
        ("k", [0, "max_4k"], r"k\.1: 'max_4k' is not allowed. Allowed: integer >= 0 or string"),
        ("k", [0, 0], r"k: \[0, 0\] repeats an entry"),
        ("k", [0], r"k: only 0"),
        ("tasks", {}, r"tasks: empty"),
        ("tasks.LaMP-3U.source.smallest_profile", 50, r"50 is too large. Allowed: at most .* 40"),
        (
            "precisions.int4-gptq.calibration",
            {"tasks": ["LaMP-3"]},
            r"'LaMP-3' is no task.*LaMP-3U",
        ),
        (
            "precisions.bf16.dtype",
            "float16",
            r"precisions\.bf16: vLLM computes float16 on a CPU so slowly",
        ),
        (
            "generation.max_new_tokens",
            2048,
            r"max_new_tokens: 2048 is too large. Allowed: less than the context of smollm2",
        ),
        ("experiment", "a/b", r"experiment: 'a/b' doesn't have the right form"),
    ],
)
def test_what_is_wrong_is_said_with_what_is_allowed(demo, path, value, expected):
    assert re.search(expected, message(changed(demo, path, value)))


def test_a_missing_key_is_named(demo):
    del demo["baseline"]
    assert "(top level): the key 'baseline' is missing" in message(demo)


def test_the_file_that_holds_the_key_is_named(demo, tmp_path):
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(yaml.safe_dump(demo))
    second.write_text("seed: x\n")
    assert message({**demo, "seed": "x"}, [first, second]).startswith(f"{second}: seed")
    assert message({**demo, "baseline": "x"}, [first, second]).startswith(f"{first}: baseline")


def test_loading_changes_nothing_of_its_argument_or_the_schemas(demo):
    before = copy.deepcopy(demo), copy.deepcopy(load_schema(ROOT_SCHEMA))
    load_config(demo)["tasks"]["LaMP-3U"]["lamp"] = 99
    assert (demo, load_schema(ROOT_SCHEMA)) == before
    assert load_config(demo)["tasks"]["LaMP-3U"]["lamp"] == 3


def test_defaults_follow_the_branch_that_is_meant():
    schema = {
        "type": "object",
        "oneOf": [
            {"properties": {"kind": {"const": "a"}, "x": {"default": 1}}},
            {"properties": {"kind": {"const": "b"}, "y": {"default": {"z": 2}}}},
        ],
    }
    assert with_defaults({"kind": "a"}, schema) == {"kind": "a", "x": 1}
    assert with_defaults({"kind": "b", "y": 3}, schema) == {"kind": "b", "y": 3}


def every_object(schema, root, path):
    """Every schema of an object with its path and root, through references and unions."""
    schema, root = resolve(schema, root)
    if "properties" in schema:
        yield path, schema, root
    for key, value in schema.get("properties", {}).items():
        yield from every_object(value, root, f"{path}.{key}")
    for branch in [*schema.get("oneOf", []), *schema.get("anyOf", [])]:
        yield from every_object(branch, root, f"{path}|")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from every_object(schema["additionalProperties"], root, f"{path}.*")


def test_every_object_refuses_unknown_keys_and_explains_every_key():
    root = load_schema(ROOT_SCHEMA)
    for path, schema, own_root in every_object(root, root, ""):
        assert "additionalProperties" in schema, path
        assert schema["additionalProperties"] is not True, path
        for key, value in schema["properties"].items():
            target = {**resolve(value, own_root)[0], **value}
            assert target.get("description"), f"{path}.{key} has no description"
            optional = key not in schema.get("required", [])
            # A reference to another object, such as `query_encoder`, may simply be absent.
            complete = {"default", "properties", "const"} & target.keys() or "$ref" in value
            assert not optional or complete, f"{path}.{key} is optional without a default"


def test_the_reference_is_up_to_date():
    assert README.read_text() == config_reference(), "run `make config-reference`"
    for file in set(SCHEMA_FOLDER.glob("*.yaml")) - {SCHEMA_FOLDER / "published.schema.yaml"}:
        for key in yaml.safe_load(file.read_text()).get("properties", {}):
            assert f"`{key}`" in config_reference(), f"{file.name}: {key}"
