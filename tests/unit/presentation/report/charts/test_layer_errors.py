"""The report's errors by layer."""

import pandas as pd
import pytest

import figure_tables
from quantrag.presentation.report.charts import report_figures


def test_the_errors_of_layers_are_a_line_for_each_module():
    tables = figure_tables.make(1, 2, 3, 1, 2)
    figure = report_figures(tables, 0.95)[-1]
    assert [view.label for view in figure.views] == [
        "Relative error of the weights",
        "Relative error of the outputs",
    ]
    table = tables["checkpoints"]
    layers = table[table["layer"].notna()]
    assert len(figure.views[0].rows) == len(layers) == 2 * 2 * 32 * 7
    row = figure.views[1].rows[0]
    assert row["panel"] == f"{layers['model'].iloc[0]}, INT4 AWQ"
    assert (row["layer"], row["module"]) == (0, "q_proj")
    assert row["value"] == pytest.approx(layers["output_error"].iloc[0], rel=1e-5)
    largest = layers.loc[layers["weight_error"].idxmax()]
    assert f"Largest: {largest['weight_error']:.3g}, {largest['module']} of layer" in (
        figure.views[0].description
    )


def test_experts_of_a_layer_are_one_point():
    table = figure_tables.make(1, 1, 2, 1, 2)["checkpoints"]
    layers = table[table["layer"].notna()]
    experts = pd.concat([table, layers.assign(weight_error=3 * layers["weight_error"])])
    figure = report_figures({**figure_tables.make(1, 1, 2, 1, 2), "checkpoints": experts}, 0.95)[-1]
    assert len(figure.views[0].rows) == len(layers)
    assert figure.views[0].rows[0]["value"] == pytest.approx(
        2 * layers["weight_error"].iloc[0], rel=1e-5
    )
