"""A wrong configuration is one line that says where, what, and what is allowed."""

import copy
import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from quantrag.config.loading import load_config
from quantrag.config.messages import choices, dotted
from quantrag.errors import UserError


@pytest.fixture(scope="module")
def demo(root):
    return yaml.safe_load((root / "config" / "demo.yaml").read_text())


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
    assert "pydantic" not in text
    return text


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("retreivers", {}, r"retreivers: unknown key \(did you mean 'retrievers'\?\)"),
        ("tasks.LaMP-3U.lampp", 3, r"tasks\.LaMP-3U\.lampp: unknown key \(did you mean 'lamp'\?\)"),
        ("tasks.LaMP-3U.lamp", 6, r"tasks\.LaMP-3U\.lamp: 6 is not allowed.*1, 2, 3, 4, 5, 7"),
        ("tasks.LaMP-3U.lamp", 3.0, r"lamp: 3\.0 is not allowed \(did you mean 3\?\)"),
        ("tasks.LaMP-3U.lamp", True, r"lamp: true is not allowed\. Allowed: 1, 2"),
        ("tasks.LaMP-3U.lamp", 4, r"tasks\.LaMP-3U\.lamp: 4 has no demo set\. Allowed: 3, 5"),
        ("tasks.LaMP-3U", None, r"tasks\.LaMP-3U: null is not a mapping"),
        ("tasks.LaMP-3U.source", {}, r"source: the key 'kind' is missing\. Allowed: download, lo"),
        ("tasks.LaMP-3U.source.kind", "demoo", r"source\.kind: 'demoo'.*did you mean 'demo'"),
        (
            "tasks.LaMP-3U.source",
            "download",
            r"'download' is not a mapping \(did you mean {kind: download}\?\)\. Allowed: a mapping "
            r"with kind: download, local, demo",
        ),
        ("tasks.LaMP-3U.source.smallest_profile", 50, r"50 is too large. Allowed: at most .* 40"),
        ("retrievers.bm25.kind", "lucen", r"bm25\.kind: 'lucen'.*did you mean 'lucene'.*dense"),
        ("retrievers.none", {"kind": "lucene"}, r"retrievers: 'none' is a reserved name"),
        ("retrievers.bm25.k1", float("nan"), r"k1: nan is not allowed\. Allowed: finite numbers"),
        ("retrievers.minilm.max_length", 1, r"max_length: 1 is too small\. Allowed: at least 3"),
        ("retrievers.minilm.max_length", "a", r"'a' is not an integer or null\. Default: null"),
        (
            "retrievers.minilm.query_encoder",
            "x",
            r"'x' is not a mapping or null. Allowed: .*folder",
        ),
        ("precisions.noise-floor", {"method": "none"}, r"'noise-floor' is a reserved name"),
        ("precisions.original", {"method": "none"}, r"precisions: 'original' is a reserved name"),
        ("precisions.bf16.method", "gptqq", r"bf16\.method: 'gptqq'.*did you mean 'gptq'"),
        ("precisions.bf16", "none", r"'none' is not a mapping \(did you mean {method: none}\?\)"),
        ("precisions.int4-gptq.bits", "4", r"bits: '4' is not allowed \(did you mean 4\?\)"),
        ("precisions.int4-gptq.sym", "yes", r"sym: 'yes' is not true or false\. Default: true"),
        ("precisions.int4-gptq.damp_percent", 1, r"1 is too large\. Allowed: less than 1"),
        ("models.m", {"context": 4096}, r"models\.m: the key 'source' is missing"),
        (
            "retrievers.minilm.encoder",
            {"kind": "folder", "folder": 3},
            r"3 is not text \(did you mean '3'\?\)",
        ),
        (
            "models.m",
            {"context": 64, "source": {"kind": "huggingface", "repo": "a", "revision": "b"}},
            r"models\.m\.source\.repo: 'a' is not allowed\. Allowed: owner/name",
        ),
        ("baseline", 16, r"baseline: 16 is not text \(did you mean '16'\?\)"),
        ("experiment", "a/b", r"experiment: 'a/b' is not allowed\. Allowed: letters, digits"),
        ("experiment", "", r"experiment: '' is not allowed\. Allowed: letters, digits"),
        ("experiment", "e" * 201, r"experiment: 'eee.* is too long. Allowed: at most 200 "),
        ("seed", "one", r"seed: 'one' is not an integer\. Default: 0"),
        ("seed", "7", r"seed: '7' is not an integer \(did you mean 7\?\)"),
        ("seed", 1.0, r"seed: 1\.0 is not an integer \(did you mean 1\?\)"),
        ("seed", True, r"seed: true is not an integer"),
        ("seed", -1, r"seed: -1 is too small\. Allowed: at least 0"),
        ("k", [0, "max_4k"], r"k\.1: 'max_4k' is not allowed \(did you mean 'max_4K'\?\)\. Allow"),
        (
            "k",
            [0, 1.0],
            r"k\.1: 1\.0 is not allowed \(did you mean 1\?\)\. Allowed: a whole number",
        ),
        ("k", [True], r"k\.0: true is not allowed"),
        ("k", 3, r"k: 3 is not a list \(did you mean \[3\]\?\)"),
        ("k", [], r"k: empty\. Allowed: at least one entry"),
        ("k", [0, 0], r"k: \[0, 0\] repeats an entry"),
        ("tasks", {}, r"tasks: empty\. Allowed: at least one entry"),
        ("tasks", {3: {"lamp": 3}}, r"tasks: 3 is not text \(did you mean '3'\?\)"),
        ("statistics.margin", float("inf"), r"margin: inf is not allowed\. Allowed: finite"),
        ("statistics.confidence", 95, r"confidence: 95 is too large\. Allowed: less than 1"),
        ("generation.vllm", None, r"generation\.vllm: null is not a mapping"),
        ("generation.vllm.extra", {"a": [float("nan")]}, r"extra: nan is not allowed"),
        ("generation.vllm.block_size", 17, r"17 is not allowed\. Allowed: null, 8, 16, 32"),
        ("generation.max_new_tokens", 32.0, r"32\.0 is not an integer \(did you mean 32\?\)"),
    ],
)
def test_what_is_wrong_is_said_with_what_is_allowed(demo, path, value, expected):
    assert re.search(expected, message(changed(demo, path, value)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("experiment", "demo\n"),
        ("precisions.int8\n", {"method": "none"}),
        ("retrievers.a\n", {"kind": "lucene"}),
        ("models.m", {"source": {"kind": "folder", "folder": "x\n"}, "context": 64}),
        ("k", ["max_1K\n"]),
        ("generation.openai", {"served_model": "x\u2028"}),
    ],
)
def test_a_line_break_at_the_end_is_no_part_of_a_name(demo, path, value):
    assert "\\n" in message(changed(demo, path, value)) or "u2028" in message(
        changed(demo, path, value)
    )


def test_of_several_mistakes_the_unknown_key_is_said(demo):
    """A key that is misspelt is missing too."""
    entry = demo["retrievers"]["bm25"]
    config = changed(demo, "retrievers.bm25", {**{k: v for k, v in entry.items() if k != "kind"}})
    assert "the key 'kind' is missing" in message(config)
    config = changed(demo, "models.m", {"sources": {}, "context": 64})
    assert "models.m.sources: unknown key (did you mean 'source'?)" in message(config)


def test_a_missing_key_is_named(demo):
    config = {key: value for key, value in demo.items() if key != "baseline"}
    assert "(top level): the key 'baseline' is missing" in message(config)


def test_a_long_value_is_shortened(demo):
    assert len(message(changed(demo, "seed", "x" * 10_000))) < 200


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(SCALARS, inner, max_size=2),
    max_leaves=4,
)
PATHS = st.sampled_from(
    [
        *["experiment", "seed", "tasks", "tasks.t", "tasks.t.source", "tasks.LaMP-3U.lamp", "k"],
        *["retrievers.r", "retrievers.bm25.k1", "retrievers.minilm.encoder", "retrieval_depth"],
        *["models.m", "models.m.source", "precisions.p", "precisions.p.checkpoints", "baseline"],
        *["precisions.int4-gptq.calibration", "precisions.int4-gptq.bits", "generation.vllm"],
        *["generation.vllm.extra", "noise_floor", "statistics", "statistics.margin", "estimate"],
    ]
)


@settings(deadline=None)
@given(path=PATHS, value=VALUES)
def test_whatever_stands_in_a_key_is_accepted_or_refused_in_one_line(demo, path, value):
    try:
        load_config(changed(demo, path, value))
    except UserError as error:
        text = str(error)
        assert len(text.splitlines()) == 1
        assert path.split(".")[0] in text
        assert not re.search("pydantic|[Ii]nput should|valid (dict|int|string)", text)


def test_the_closest_name_is_offered():
    assert choices("bm52", ["bm25", "dense"]) == " (did you mean 'bm25'?). Allowed: bm25, dense"
    assert choices("zzz", ["bm25", "dense"]) == ". Allowed: bm25, dense"


def test_a_path_is_written_in_one_line():
    assert dotted(["retrievers", "bm25", "k1"]) == "retrievers.bm25.k1"
    assert dotted(["tasks", "a\n", "lamp"]) == "tasks.'a\\n'.lamp"
    assert dotted([]) == "(top level)"
