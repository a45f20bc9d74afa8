"""The report's differences to the baseline along k."""

import pytest

import figure_tables
from figure_views import marks, views


def test_differences_lie_between_margins_and_the_noise_floor(demo):
    view = views("quantization_gap", demo)["LaMP-3U, MAE"]
    assert len(view.rows) == 8
    row = next(row for row in view.rows if row["retriever"] == "BM25" and row["k"] == "1")
    cell = {"task": "LaMP-3U", "retriever": "bm25", "k": "1", "metric": "mae"}
    value = {
        name: table.loc[(table[list(cell)] == list(cell.values())).all(axis=1)]
        for name, table in demo.items()
        if name in ("scores", "comparisons")
    }
    compared = value["comparisons"].iloc[0]
    passes = value["scores"].set_index("precision")["value"]
    noise = abs(passes["noise-floor"] - passes["fp16"])
    assert row["difference"] == pytest.approx(compared["difference"], rel=1e-5)
    assert (row["margin"], row["margin_low"]) == pytest.approx(
        (compared["margin"], -compared["margin"]), rel=1e-5
    )
    assert (row["noise"], row["noise_low"]) == pytest.approx((noise, -noise), rel=1e-4)
    assert marks(view) == ["area", "rule", "rule", "point", "line", "line"]


def test_without_a_second_pass_there_is_no_noise(demo):
    tables = figure_tables.make(1, 1, 2, 1, 2, noise=False)
    view = views("quantization_gap", tables)["LaMP-3U, MAE"]
    assert "noise" not in view.rows[0]
    assert marks(view) == ["area", "rule", "rule", "point"]


def test_one_task_may_have_a_second_pass_and_another_none(demo):
    scores = demo["scores"]
    floor = scores["precision"] == "noise-floor"
    tables = {**demo, "scores": scores[~floor | (scores["task"] == "LaMP-3U")]}
    found = views("quantization_gap", tables)
    assert "noise" in found["LaMP-3U, MAE"].rows[0]
    assert "noise" not in found["LaMP-5U, ROUGE-L"].rows[0]
    assert marks(found["LaMP-5U, ROUGE-L"]) == ["area", "rule", "rule", "point"]


def test_the_largest_difference_is_named_with_the_better_side(demo):
    found = views("quantization_gap", demo)
    for label, metric, side in (("MAE", "mae", "below"), ("ROUGE-L", "rougeL", "above")):
        task = "LaMP-3U" if metric == "mae" else "LaMP-5U"
        part = demo["comparisons"].query("task == @task and metric == @metric")
        largest = part.loc[part["difference"].abs().idxmax()]
        text = found[f"{task}, {label}"].description
        assert f"{side} 0 is better. Largest: {largest['difference']:+.4f}, INT4 AWQ" in text
