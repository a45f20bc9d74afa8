"""The report's list of all comparisons."""

from figure_views import views
from quantrag.presentation.labels import VERDICTS


def test_every_comparison_is_a_row_without_retrieval_first(demo):
    view = views("forest", demo)["LaMP-3U, MAE"]
    part = demo["comparisons"].query("task == 'LaMP-3U' and metric == 'mae'")
    assert len(view.rows) == len(part) == 7
    order = view.spec["spec"]["layer"][0]["encoding"]["y"]["sort"]
    assert order == [
        "k = 0",
        *[f"{name}, k = {k}" for name in ("BM25", "Contriever") for k in ("1", "2", "8K")],
    ]
    assert {row["cell"] for row in view.rows} == set(order)
    assert {row["panel"] for row in view.rows} == {"Llama-2-7b-chat, INT4 AWQ"}
    assert all(row["margin_low"] == -row["margin"] for row in view.rows)


def test_verdicts_are_counted(demo):
    tables = dict(demo)
    tables["comparisons"] = demo["comparisons"].assign(verdict="equivalent")
    mixed = tables["comparisons"].index[:2]
    tables["comparisons"].loc[mixed, "verdict"] = "worse"
    found = views("forest", tables)
    first = tables["comparisons"].loc[mixed[0]]
    assert VERDICTS == ("worse", "better", "equivalent", "inconclusive")
    counts = tables["comparisons"].groupby(["task", "metric"])["verdict"].value_counts()
    worse = counts.get((first["task"], first["metric"], "worse"))
    assert f"{worse} worse, 0 better, {7 - worse} equivalent, 0 inconclusive." in (
        found["LaMP-3U, MAE"].description
    )


def test_a_comparison_without_a_margin_has_no_ends_of_it(demo):
    tables = {**demo, "comparisons": demo["comparisons"].assign(margin=float("nan"))}
    rows = views("forest", tables)["LaMP-3U, MAE"].rows
    assert {(row["margin"], row["margin_low"]) for row in rows} == {(None, None)}
