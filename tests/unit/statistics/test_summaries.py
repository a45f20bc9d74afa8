"""The table of scores with their intervals."""

import numpy as np
import pytest
from scipy.stats import binomtest

from quantrag.names import NOISE_FLOOR
from quantrag.statistics.summaries import SCORE_COLUMNS, summarize
from synthetic_scores import cell, grid_of


def test_scores_show_both_policies():
    grid = grid_of(
        cell("fp16", absolute_error=np.array([1, 4, 1, 0.0]), valid=[True, False, True, True])
    )
    table = summarize(grid, policy="exclude", confidence=0.95, draws=200, seed=0)
    assert table.columns.tolist() == SCORE_COLUMNS
    row = table.iloc[0]
    assert row["value"] == row["value_exclude"] == pytest.approx(2 / 3)
    assert row["value_worst_case"] == 1.5
    assert (row["n"], row["unparseable_rate"]) == (3, 0.25)
    assert row["ci_low"] == row["ci_low_exclude"]


def test_intervals_of_scores_stay_on_the_scale_and_are_exact_for_shares():
    right = np.r_[np.zeros(3), np.ones(37)]
    values = {"correct": right, "predicted_label": right, "gold_label": np.ones(40)}
    grid = grid_of(cell("fp16", **values), lamp=1)
    table = summarize(grid, policy="worst_case", confidence=0.95, draws=100, seed=0)
    row = table[table["metric"] == "accuracy"].iloc[0]
    expected = binomtest(37, 40).proportion_ci(0.95)
    assert (row["ci_low"], row["ci_high"]) == (
        pytest.approx(expected.low, abs=0.002),
        pytest.approx(expected.high, abs=0.002),
    )
    perfect = grid_of(cell("fp16", absolute_error=np.zeros(40)))
    table = summarize(perfect, policy="worst_case", confidence=0.95, draws=100, seed=0)
    assert (table["ci_low"] == 0).all()
    errors_squared = 16 * (1 - 0.025 ** (1 / 40))
    assert table["ci_high"].tolist() == pytest.approx(
        [errors_squared / 4, np.sqrt(errors_squared)], rel=0.02
    )


def test_every_pass_has_a_row_for_each_metric():
    values = {"absolute_error": np.array([0, 1, 2, 1.0])}
    cells = [cell("fp16", **values), cell(NOISE_FLOOR, **values), cell("int4", "3", **values)]
    table = summarize(grid_of(*cells), policy="worst_case", confidence=0.95, draws=100, seed=0)
    assert table["precision"].tolist() == ["fp16"] * 2 + [NOISE_FLOOR] * 2 + ["int4"] * 2
    assert table["metric"].tolist() == ["mae", "rmse"] * 3
    assert table["value"].tolist() == pytest.approx([1, np.sqrt(1.5)] * 3)


def test_a_metric_that_is_no_mean_is_bootstrapped_with_its_own_seed():
    rng = np.random.default_rng(0)
    golds = rng.integers(0, 2, 80).astype(float)
    answers = np.where(rng.random(80) < 0.8, golds, 1 - golds)
    grid = grid_of(
        cell("fp16", predicted_label=answers, gold_label=golds, correct=1.0 * (answers == golds)),
        lamp=1,
    )
    tables = [
        summarize(grid, policy="worst_case", confidence=0.95, draws=500, seed=seed)
        for seed in (0, 0, 1)
    ]
    first, again, other = (t[t["metric"] == "f1"].iloc[0] for t in tables)
    assert first["ci_low"] < first["value"] < first["ci_high"]
    assert (first["ci_low"], first["ci_high"]) == (again["ci_low"], again["ci_high"])
    assert (first["ci_low"], first["ci_high"]) != (other["ci_low"], other["ci_high"])
