"""Metrics of sums over clusters, by hand."""

import numpy as np
import pytest

from quantrag.scoring.metrics import metric
from quantrag.statistics.estimators import (
    by_cluster,
    difference_estimator,
    point,
    scores_estimator,
)
from synthetic_scores import cell, grid_of


@pytest.fixture
def grid():
    """Two cells of three queries; the first and the third are of one user."""
    users = ["u", "v", "u"]
    return grid_of(
        cell("fp16", absolute_error=[0, 2, 4.0], cluster_id=users),
        cell("int4", absolute_error=[1, 2, 0.0], cluster_id=users),
    )


def test_sums_are_over_a_clusters_queries(grid):
    sums = by_cluster(grid, np.array([[1, 2, 4], [True, True, False]]))
    assert sums.tolist() == [[5, 2], [1, 1]]
    assert sums.dtype == np.float64


def test_a_metric_is_a_function_of_its_clusters_sums(grid):
    rows = np.array([0, 1])
    mae = scores_estimator(grid, metric("mae"), rows)
    assert point(mae) == pytest.approx([2, 1])
    rmse = scores_estimator(grid, metric("rmse"), rows)
    assert point(rmse) == pytest.approx([np.sqrt(20 / 3), np.sqrt(5 / 3)])
    # A resample that draws the first user twice and the second one never.
    resample = np.array([[2.0, 0.0]])
    assert mae.evaluate(resample @ mae.sums)[0] == pytest.approx([2, 0.5])
    assert rmse.evaluate(resample @ rmse.sums)[0] == pytest.approx([np.sqrt(8), np.sqrt(0.5)])


def test_answers_that_do_not_count_are_in_no_sum(grid):
    include = np.array([[True, False, True], [False] * 3])
    values = point(scores_estimator(grid, metric("mae"), np.array([0, 1]), include))
    assert values[0] == 2
    assert np.isnan(values[1])


def test_macro_f1_of_counts():
    golds, answers = [0, 0, 1, 1.0], [0, 1, 1, 1.0]
    grid = grid_of(
        cell("fp16", predicted_label=answers, gold_label=golds, correct=[1, 0, 1, 1.0]), lamp=1
    )
    # F1 of "[1]" is 2/3, of "[2]" 4/5.
    (value,) = point(scores_estimator(grid, metric("f1"), np.array([0])))
    assert value == pytest.approx((2 / 3 + 4 / 5) / 2)


def test_a_difference_is_first_minus_second(grid):
    pairs = np.array([[1, 0], [0, 1], [0, 0]])
    estimator = difference_estimator(grid, metric("mae"), pairs)
    assert point(estimator) == pytest.approx([-1, 1, 0])
    assert len(estimator.sums) == 2
