"""The report's scores along k."""

import pytest

from figure_views import marks, views


def test_k_zero_begins_every_retrievers_line(demo):
    found = views("k_sweep", demo)
    assert list(found) == [
        *["LaMP-3U, MAE", "LaMP-3U, RMSE", "LaMP-5U, ROUGE-1", "LaMP-5U, ROUGE-L"]
    ]
    rows = found["LaMP-3U, MAE"].rows
    assert [row["k"] for row in rows[:4]] == ["0", "1", "2", "8K"]
    starts = [row for row in rows if row["k"] == "0" and row["precision"] == "FP16"]
    assert {row["panel"] for row in starts} == {
        *["Llama-2-7b-chat, BM25", "Llama-2-7b-chat, Contriever"]
    }
    assert starts[0]["value"] == starts[1]["value"]
    assert {row["precision"] for row in rows} == {"FP16", "INT4 AWQ"}
    assert marks(found["LaMP-3U, MAE"]) == ["area", "line", "point"]


@pytest.mark.parametrize(("label", "best"), [("LaMP-3U, MAE", "min"), ("LaMP-5U, ROUGE-L", "max")])
def test_the_best_value_is_named(demo, label, best):
    task, name = label.split(", ")
    scores = demo["scores"]
    key = {"MAE": "mae", "ROUGE-L": "rougeL"}[name]
    values = scores[(scores["task"] == task) & (scores["metric"] == key)]["value"]
    assert f"Best: {values.agg(best):.3f}, " in views("k_sweep", demo)[label].description
