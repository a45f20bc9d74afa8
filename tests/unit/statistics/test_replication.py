"""The comparison with published values, on made-up values."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from quantrag.errors import UserError
from quantrag.statistics.replication import REPLICATION_COLUMNS, load_published, replicate

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "workflow" / "schemas" / "published.schema.yaml"


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


def scores(value, low=None, high=None, **changes):
    row = entry(k="3") | {"value": value, "ci_low": low or value, "ci_high": high or value}
    return pd.DataFrame([row | changes]).drop(columns=["tolerance", "source"])


def load(tmp_path, content):
    path = tmp_path / "published.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return load_published(path, SCHEMA)


@pytest.mark.parametrize(
    ("ours", "low", "high", "status"),
    [
        (0.5, 0.49, 0.51, "OK"),
        (0.51, 0.505, 0.515, "OK"),
        (0.49, 0.485, 0.495, "OK"),
        (0.515, 0.51, 0.52, "OKish"),
        (0.52, 0.51, 0.53, "OKish"),
        (0.6, 0.4, 0.8, "OKish"),
        (0.6, 0.55, 0.65, "FAIL"),
        (0.4, 0.35, 0.45, "FAIL"),
    ],
)
def test_status(tmp_path, ours, low, high, status):
    published = load(tmp_path, {"results": [entry()]})
    table = replicate(published, scores(ours, low, high))
    assert table.columns.tolist() == REPLICATION_COLUMNS
    assert table["status"].tolist() == [status]
    assert table["difference"].tolist() == pytest.approx([ours - 0.5])


def test_cells_outside_the_grid_are_left_out(tmp_path):
    published = load(tmp_path, {"results": [entry(model="other"), entry(k="max_4K"), entry()]})
    assert replicate(published, scores(0.5))["k"].tolist() == ["3"]


def test_no_published_values_give_an_empty_table(tmp_path):
    table = replicate(load(tmp_path, {"results": []}), scores(0.5))
    assert table.empty
    assert table.columns.tolist() == REPLICATION_COLUMNS


def test_the_shipped_file_is_valid():
    load_published(ROOT / "config" / "published.yaml", SCHEMA)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"results": [entry(metric="bleu")]}, r"results\.0\.metric: 'bleu'"),
        ({"results": [entry(colour="red")]}, r"results\.0: .*'colour'"),
        ({"results": [{"task": "t"}]}, r"results\.0: 'model' is a required"),
        ({"results": [entry(tolerance=-1)]}, r"results\.0\.tolerance"),
        ({}, r"\(whole file\): 'results' is a required"),
        ({"results": [entry(), entry(k="3")]}, r"results\.1: the same cell as results\.0"),
    ],
)
def test_mistakes_are_named(tmp_path, content, message):
    with pytest.raises(UserError, match=message):
        load(tmp_path, content)


def test_broken_yaml_is_named(tmp_path):
    path = tmp_path / "published.yaml"
    path.write_text("results: [", encoding="utf-8")
    with pytest.raises(UserError, match=r"published\.yaml: not YAML"):
        load_published(path, SCHEMA)
