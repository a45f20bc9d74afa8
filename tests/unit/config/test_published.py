"""The file of published values is checked like the configuration."""

import pytest
import yaml

from quantrag.config.published import load_published
from quantrag.errors import UserError


def entry(**changes):
    made_up = {
        "task": "LaMP-3U",
        "model": "m",
        "precision": "fp16",
        "retriever": "bm25",
        "k": 3,
        "metric": "mae",
        "value": 0.5,
        "tolerance": 0.01,
        "source": "made up",
    }
    return {**made_up, **changes}


def load(tmp_path, content):
    path = tmp_path / "published.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return load_published(path)


def test_the_shipped_file_is_valid(root):
    load_published(root / "config" / "published.yaml")


def test_k_is_text(tmp_path):
    loaded = load(tmp_path, {"results": [entry(), entry(k="max_4K")]})
    assert [value["k"] for value in loaded] == ["3", "max_4K"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"results": [entry(metric="bleu")]}, r"results\.0\.metric: unknown metric 'bleu'.*rouge1"),
        ({"results": [entry(colour="red")]}, r"results\.0\.colour: unknown key"),
        ({"results": [{"task": "t"}]}, r"results\.0: the key 'k' is missing"),
        ({"results": [entry(tolerance=-1)]}, r"results\.0\.tolerance: -1 is too small"),
        ({"results": [entry(value=float("nan"))]}, r"results\.0\.value: nan is not allowed"),
        ({"results": None}, r"results: null is not a list"),
        ({"other": 1}, r"published.yaml: other: unknown key"),
        ({"results": [entry(), entry(k="3")]}, r"results\.1: the same cell as results\.0"),
    ],
)
def test_mistakes_are_named(tmp_path, content, message):
    with pytest.raises(UserError, match=message):
        load(tmp_path, content)


def test_broken_yaml_is_named(tmp_path):
    path = tmp_path / "published.yaml"
    path.write_text("results: [", encoding="utf-8")
    with pytest.raises(UserError, match=r"published\.yaml: line 1.*not valid YAML"):
        load_published(path)
