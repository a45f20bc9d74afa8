"""The comparison with published values, on made-up values."""

import pandas as pd
import pytest

from quantrag.statistics.replication import REPLICATION_COLUMNS, replicate


def entry(**changes):
    made_up = {
        "task": "LaMP-3U",
        "model": "m",
        "precision": "fp16",
        "retriever": "bm25",
        "k": "3",
        "metric": "mae",
        "value": 0.5,
        "tolerance": 0.01,
        "source": "made up",
    }
    return {**made_up, **changes}


def scores(value, low=None, high=None, **changes):
    row = entry() | {"value": value, "ci_low": low or value, "ci_high": high or value}
    return pd.DataFrame([row | changes]).drop(columns=["tolerance", "source"])


@pytest.mark.parametrize(
    ("ours", "low", "high", "status"),
    [
        (0.5, 0.49, 0.51, "OK"),
        (0.51, 0.505, 0.515, "OK"),
        (0.49, 0.485, 0.495, "OK"),
        (0.515, 0.51, 0.52, "OKish"),
        (0.52, 0.51, 0.53, "OKish"),
        (0.6, 0.4, 0.8, "FAIL"),
        (0.6, 0.55, 0.65, "FAIL"),
        (0.4, 0.35, 0.45, "FAIL"),
    ],
)
def test_status(ours, low, high, status):
    published = [entry()]
    table = replicate(published, scores(ours, low, high))
    assert table.columns.tolist() == REPLICATION_COLUMNS
    assert table["status"].tolist() == [status]
    assert table["difference"].tolist() == pytest.approx([ours - 0.5])


def test_cells_outside_the_grid_are_left_out():
    published = [entry(model="other"), entry(k="max_4K"), entry()]
    assert replicate(published, scores(0.5))["k"].tolist() == ["3"]


def test_no_published_values_give_an_empty_table():
    table = replicate([], scores(0.5))
    assert table.empty
    assert table.columns.tolist() == REPLICATION_COLUMNS
