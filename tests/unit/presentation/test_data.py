"""Reading tables, the order of names, lines along k."""

import numpy as np
import pandas as pd
import pytest

import figure_tables
from quantrag.errors import UserError
from quantrag.presentation import data
from quantrag.tables import write_csv


def test_orders_and_baseline():
    tables = figure_tables.make(1, 2, 3, 2, 8)
    shuffled = tables["scores"].sample(frac=1, random_state=0)
    names = data.ordered_names(shuffled, tables["comparisons"])
    assert names.baseline == "fp16"
    assert names.ks == list(figure_tables.KS)
    assert "noise-floor" not in names.precisions
    assert "none" not in names.retrievers


def test_two_rows_for_one_k_are_refused(demo):
    rows = pd.concat([demo["scores"]] * 2)
    with pytest.raises(ValueError, match="several rows"):
        data.along_k(rows, "bm25", ["0", "1"], task="LaMP-3U")


def test_reading_keeps_names_as_text(tmp_path):
    rows = figure_tables.make(1, 1, 2, 1, 4)["scores"].head(4)
    rows = rows.assign(model=["None", "nan", "NA", "1"])
    write_csv(rows, tmp_path / "scores.csv")
    back = data.read_tables({"scores": tmp_path / "scores.csv"})["scores"]
    assert back["model"].tolist() == ["None", "nan", "NA", "1"]
    assert back["k"].tolist() == rows["k"].tolist()
    assert back["value"].dtype == float


def test_every_table_reads_back_as_it_was_written(demo, tmp_path):
    paths = {name: tmp_path / f"{name}.csv" for name in demo}
    for name, path in paths.items():
        write_csv(demo[name], path)
    for name, table in data.read_tables(paths).items():
        pd.testing.assert_frame_equal(table, demo[name], check_dtype=False, check_exact=False)
    write_csv(demo["costs"].assign(energy_wh=np.nan), paths["costs"])
    assert data.read_tables({"costs": paths["costs"]})["costs"]["energy_wh"].dtype == float


def test_reading_names_what_is_wrong(tmp_path):
    path = tmp_path / "scores.csv"
    with pytest.raises(UserError, match="no such file"):
        data.read_csv(path)
    path.write_text("")
    with pytest.raises(UserError, match="empty"):
        data.read_csv(path)
    path.write_text("task,model\n")
    with pytest.raises(UserError, match="no column value; it has task, model"):
        data.read_csv(path, ["task", "value"])


def test_likelihoods_stand_beside_the_main_metric():
    pairs = [("a", "mae"), ("a", "divergence"), ("a", "rps"), ("b", "accuracy"), ("c", "nll")]
    table = pd.DataFrame(pairs, columns=["task", "metric"])
    assert data.likelihood_metrics(table) == {"a": "rps"}


def test_each_tasks_main_metric_comes_first_and_the_others_in_a_fixed_order():
    rows = [("b", "rps"), ("b", "mae"), ("a", "nll"), ("a", "rougeL"), ("b", "mae"), ("a", "own↑")]
    table = pd.DataFrame(rows, columns=["task", "metric"]).assign(row=range(6))
    found = data.main_metrics_first(table)
    assert found["task"].tolist() == ["b"] * 3 + ["a"] * 3
    assert found["row"].tolist() == [1, 4, 0, 3, 2, 5]
    assert data.main_metrics_first(table.iloc[:0]).empty
