"""The report's scores against costs."""

import pandas as pd
import pytest

import figure_tables
from figure_views import views


@pytest.fixture
def tables():
    """Three precisions: the baseline, one that saves, and one that only costs."""
    tables = figure_tables.make(1, 1, 3, 1, 1, noise=False)
    names = ["fp16", "int4-awq", "int4-gptq"]
    values = dict(zip(names, (0.5, 0.6, 0.7), strict=True))
    scores = tables["scores"]
    tables["scores"] = scores.assign(value=scores["precision"].map(values))
    tables["costs"] = tables["costs"].assign(
        memory_gib=[14.0, 4.0, 15.0],
        output_tokens_per_s=[100.0, 200.0, 50.0],
        energy_wh=[26.0, 13.0, 52.0],
        prompt_tokens=12_000,
        output_tokens=1_000,
    )
    return tables


def test_the_front_has_what_nothing_beats_on_both(tables):
    view = views("quality_cost", tables)["LaMP-3U, MAE / Weights and longest prompt (GiB)"]
    points = pd.DataFrame(view.rows).set_index("precision")
    assert points["front"].to_dict() == {"FP16": True, "INT4 AWQ": True, "INT4 GPTQ": False}
    assert points["cost"].to_dict() == {"FP16": 14, "INT4 AWQ": 4, "INT4 GPTQ": 15}
    # A line leads from the baseline to every point.
    assert set(points["from_cost"]) == {14}
    assert set(points["from_value"]) == {0.5}


def test_energy_is_counted_per_thousand_tokens_and_left_out_where_unknown(tables):
    found = views("quality_cost", tables)
    energy = found["LaMP-3U, MAE / Wh per 1,000 tokens"]
    assert [row["cost"] for row in energy.rows] == [2, 1, 4]
    tables["costs"]["energy_wh"] = float("nan")
    assert set(found) - set(views("quality_cost", tables)) == {
        *["LaMP-3U, MAE / Wh per 1,000 tokens", "LaMP-3U, RMSE / Wh per 1,000 tokens"]
    }
