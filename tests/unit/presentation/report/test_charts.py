"""The report's figures."""

import json

import altair as alt
import pytest

import figure_tables
from quantrag.presentation.report.charts import report_figures

SMALL_SIZES = [(1, 1, 2, 2, 2), (1, 2, 3, 1, 2)]


@pytest.mark.parametrize("size", SMALL_SIZES, ids=str)
def test_specifications_are_valid_and_complete(size):
    tables = figure_tables.make(*size)
    if size[3] == 1:
        del tables["retrievers"]
    found = report_figures(tables, 0.95)
    names = ["k_sweep", "quantization_gap", "forest", "evidence", "flips", "quality_cost"]
    names += ["retrievers_compared"] * (size[3] > 1) + ["retrieval_quality", "layer_errors"]
    assert [figure.name for figure in found] == names
    for figure in found:
        for view in figure.views:
            alt.Chart.from_dict(view.spec)  # checks against Vega-Lite's schema
            assert view.rows
            assert view.description.endswith(".")
            json.dumps(view.rows, allow_nan=False)
    sweep = found[0].views[0]
    cells = size[1] * size[2] * size[3] * size[4]
    assert len(sweep.rows) == cells
    scores = tables["scores"]
    row = scores[(scores["task"] == "LaMP-3U") & (scores["metric"] == "mae")].iloc[0]
    assert sweep.rows[0]["value"] == pytest.approx(row["value"], rel=1e-5)


def test_a_figure_begins_with_the_main_metric_of_the_first_task():
    tables = figure_tables.make(*SMALL_SIZES[1])
    for name in ("scores", "comparisons"):
        order = {"task": True, "metric": False}
        tables[name] = tables[name].sort_values([*order], ascending=[*order.values()])
    found = {figure.name: figure.views for figure in report_figures(tables, 0.95)}
    for name in ("k_sweep", "quantization_gap", "forest", "quality_cost"):
        assert found[name][0].label.startswith("LaMP-3U, MAE"), name
        assert any("RMSE" in view.label for view in found[name]), name


def test_only_the_baseline_has_no_figures_of_differences():
    tables = figure_tables.make(1, 1, 2, 1, 3, noise=False)
    tables["comparisons"] = tables["comparisons"].iloc[:0]
    tables["evidence"] = tables["evidence"].iloc[:0]
    tables["retrieval"] = tables["retrieval"].assign(n=0)
    tables["scores"] = tables["scores"][tables["scores"]["precision"] == "fp16"]
    del tables["retrievers"]
    tables["checkpoints"] = tables["checkpoints"][tables["checkpoints"]["precision"] == "fp16"]
    assert [f.name for f in report_figures(tables, 0.95)] == ["k_sweep", "quality_cost"]
