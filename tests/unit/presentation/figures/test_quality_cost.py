"""Score against cost."""

import pandas as pd
import pytest

import figure_tables
from figure_drawing import DEMO, draw
from quantrag.presentation import data
from quantrag.presentation.figures import quality_cost


def test_costs_without_energy_have_no_energy_panel():
    figure = draw("quality_cost", figure_tables.make(*DEMO, energy=False))
    assert len(figure.axes) == 4
    assert len(draw("quality_cost", figure_tables.make(*DEMO)).axes) == 6


def test_memory_is_shown_where_it_is_known_of_all_rows_and_else_the_weights_on_disk():
    costs = figure_tables.make(*DEMO, energy=False)["costs"].assign(wh_per_1k=float("nan"))
    assert quality_cost.known_costs(costs) == ["memory_gib", "output_tokens_per_s"]
    costs.loc[0, "memory_gib"] = float("nan")
    costs["output_tokens_per_s"] = float("nan")
    assert quality_cost.known_costs(costs) == ["weights_gib"]


def test_the_pareto_front_has_the_points_that_none_beats():
    points = pd.DataFrame({"cost": [1.0, 2, 3, 4, 4], "value": [0.2, 0.5, 0.4, 0.6, 0.1]})
    front = quality_cost.pareto_front(points, "cost", False, True)
    assert front["cost"].tolist() == [1, 2, 4]
    assert front["value"].tolist() == [0.2, 0.5, 0.6]
    # The same the other way round: much of the cost is good, a high value is bad.
    front = quality_cost.pareto_front(points, "cost", True, False)
    assert front[["cost", "value"]].to_numpy().tolist() == [[4, 0.1]]


def test_mean_scores_take_the_cells_that_all_precisions_have():
    scores = pd.DataFrame(
        [("t", "m", p, "bm25", k, v) for p, k, v in
         [("a", "1", 1.0), ("a", "3", 9.0), ("b", "1", 2.0)]],
        columns=["task", "model", "precision", "retriever", "k", "value"],
    )  # fmt: skip
    means = quality_cost.mean_scores(scores, data.ordered_names(scores, baseline="a"))
    assert means["value"].tolist() == [1.0, 2.0]


def test_costs_that_hardly_differ_lie_close_together():
    assert quality_cost.cost_range(pd.Series([1.0, 4.0])) == (1, 4)
    low, high = quality_cost.cost_range(pd.Series([1.0, 1.0001]))
    assert high - low == pytest.approx(0.2, rel=1e-3)
    tables = figure_tables.make(*DEMO, energy=False)
    costs = tables["costs"]
    costs["memory_gib"] = [0.27346 + 0.00002 * row for row in range(len(costs))]
    axes = draw("quality_cost", tables).axes[0]
    low, high = axes.get_xlim()
    assert high - low > 0.04
    axes.figure.canvas.draw()
    assert not axes.xaxis.get_offset_text().get_text()
