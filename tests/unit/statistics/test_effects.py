"""Effects: a metric's difference, whatever its tests are made on."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from quantrag.scoring.metrics import metric
from quantrag.statistics.bounded import Differences
from quantrag.statistics.effects import contrast, effect, pooled
from synthetic_scores import cell, grid_of

PAIR = np.array([[1, 0]])


@pytest.fixture
def grid():
    users = ["u", "v", "u", "w"]
    return grid_of(
        cell("fp16", absolute_error=[0, 2, 4, 1.0], cluster_id=users),
        cell("int4", absolute_error=[1, 2, 0, 1.0], cluster_id=users),
    )


def test_the_difference_of_a_mean_is_the_mean_of_differences(grid):
    found = effect(grid, metric("mae"), PAIR)
    assert found.differences.sums.tolist() == [[-3, 0, 0]]
    assert found.differences.counts.tolist() == [[2, 1, 1]]
    assert found.differences.bound.tolist() == [4]
    assert (found.value, found.baseline) == (pytest.approx([-0.75]), pytest.approx([1.75]))


def test_rmse_is_tested_on_squares_and_reported_as_roots(grid):
    found = effect(grid, metric("rmse"), PAIR)
    assert found.differences.sums.tolist() == [[-15, 0, 0]]
    assert found.value == pytest.approx([np.sqrt(6 / 4) - np.sqrt(21 / 4)])
    low, high = found.interval(0.95)
    ends = found.differences.interval(0.95)
    root = np.sqrt(21 / 4)
    assert high == pytest.approx(np.sqrt(21 / 4 + ends[1]) - root)
    # Squares can't be negative: at worst the whole error is gone.
    assert low == pytest.approx(np.sqrt(np.maximum(21 / 4 + ends[0], 0)) - root)
    shift = np.array([-0.3])
    assert found.as_metric(found.as_mean(shift)) == pytest.approx(shift)


def test_queries_that_do_not_count_or_were_not_measured_are_left_out():
    grid = grid_of(
        cell("fp16", absolute_error=np.ones(3), rps=[0.5, 0.5, 0.5]),
        cell("int4", absolute_error=np.ones(3), rps=[0.75, np.nan, 0.5]),
    )
    found = effect(grid, metric("rps"), PAIR)
    assert found.differences.counts.tolist() == [[1, 0, 1]]
    assert found.value == pytest.approx([0.125])
    chosen = effect(grid, metric("rps"), PAIR, np.array([[True, True, False]]))
    assert chosen.value == pytest.approx([0.25])


def test_the_influences_of_f1_have_its_difference_as_their_mean():
    rng = np.random.default_rng(0)
    golds = rng.integers(0, 2, 60)
    first = np.where(rng.random(60) < 0.9, golds, 1 - golds)
    second = np.where(rng.random(60) < 0.7, golds, 1 - golds)
    cells = [
        cell(p, predicted_label=a, gold_label=golds, correct=(a == golds).astype(float))
        for p, a in (("fp16", first), ("int4", second))
    ]
    found = effect(grid_of(*cells, lamp=1), metric("f1"), PAIR)

    def f1(answers):
        return f1_score(golds, answers, average="macro")

    # Influences sum to 0 but for the jackknife's bias.
    assert found.value == pytest.approx([f1(second) - f1(first)], abs=0.005)
    assert found.baseline == pytest.approx([f1(first)])
    assert found.differences.n_differing.tolist() == [np.sum(first != second)]
    assert found.differences.bound[0] >= 1


def test_pooling_takes_a_clusters_cells_together():
    grid = grid_of(
        cell("fp16", "1", absolute_error=[1, 1.0]),
        cell("int4", "1", absolute_error=[2, 1.0]),
        cell("fp16", "3", absolute_error=[1, 1.0]),
        cell("int4", "3", absolute_error=[0, 3.0]),
        cell("fp16", "5", absolute_error=[1, 1.0]),
        cell("int4", "5", absolute_error=[1, 2.0]),
    )
    effects = effect(grid, metric("mae"), np.array([[1, 0], [3, 2], [5, 4]]))
    found = pooled(effects, np.array([0, 0, 1]))
    # The first user's +1 and -1 cancel; that is no cluster without a difference.
    assert found.sums.tolist() == [[0, 1], [0, 1]]
    assert found.counts.tolist() == [[1, 1], [1, 1]]
    assert found.mean == pytest.approx([0.5, 0.5])
    assert found.n_differing.tolist() == [2, 1]


def draw_two_parts(rng, replications, n, share, change, cells=1):
    """Differences of -1, 0 and 1, n clusters with one query in each of some cells, two parts.

    Args:
        share: of the queries that are in the first part, drawn anew in each cell.
        change: per part the chances of -1 and of 1.
        cells: whose answers of a cluster are alike.
    """
    sums, counts = np.zeros((2, 2, replications, n))
    luck = rng.random((replications, n))
    for _ in range(cells):
        in_first = rng.random(luck.shape) < share
        own = np.where(rng.random(luck.shape) < 0.6, luck, rng.random(luck.shape))
        for part, inside in enumerate((in_first, ~in_first)):
            lost, won = change[part]
            value = np.where(own < lost, -1, np.where(own > 1 - won, 1, 0))
            sums[part] += value * inside / cells
            counts[part] += inside / cells
    bound = np.ones(replications)
    return [Differences(sums[part], counts[part], bound) for part in (0, 1)]


@pytest.mark.parametrize(
    "change",
    [[(0.1, 0.05)] * 2, [(0.01, 0.0)] * 2, [(0.2, 0.1), (0.02, 0.02)], [(0.3, 0.05), (0.05, 0.3)]],
    ids=["equal", "rare", "more often", "opposite"],
)
@pytest.mark.parametrize(("n", "share"), [(60, 0.3), (200, 0.1), (200, 0.7), (1000, 0.5)])
@pytest.mark.parametrize("cells", [1, 3])
def test_intervals_of_a_contrast_cover_the_truth(change, n, share, cells):
    rng = np.random.default_rng(n + cells)
    own = contrast(*draw_two_parts(rng, 300, n, share, change, cells))
    truth = np.diff(change[1]).item() - np.diff(change[0]).item()
    low, high = own.interval(0.95)
    assert np.mean((low <= -truth + 1e-12) & (-truth - 1e-12 <= high)) >= 0.92


def test_a_contrast_is_the_difference_of_two_means():
    first = Differences(np.array([[1.0, 0, 2, 0]]), np.array([[1.0, 0, 2, 1]]), np.ones(1))
    second = Differences(np.array([[0.0, 1, 0, 0]]), np.array([[0.0, 2, 1, 1]]), np.ones(1))
    own = contrast(first, second)
    assert own.mean == pytest.approx(3 / 4 - 1 / 4)
    assert (own.n_clusters, own.n_differing) == (4, 3)
    assert own.sums.sum() == pytest.approx(4 * own.mean)


def test_a_contrast_of_disjoint_parts_is_welchs_test():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.3, 0.5, 300), rng.normal(0.2, 1, 400)
    alone = np.concatenate([np.ones(300), np.zeros(400)])
    values = np.concatenate([a, b])
    bound = np.full(1, 5.0)
    parts = [Differences((values * w)[None], w[None], bound) for w in (alone, 1 - alone)]
    welch = stats.ttest_ind(a, b, equal_var=False)
    own = contrast(*parts)
    assert own.p_value()[0] == pytest.approx(welch.pvalue, rel=0.15)
    assert np.ravel(own.interval(0.95)) == pytest.approx(welch.confidence_interval(), abs=0.01)


def test_a_contrast_needs_two_clusters_on_each_side():
    counts = np.array([[1.0, 0, 0, 0], [1.0, 1, 0, 0]])
    parts = [Differences(np.zeros((2, 4)), c, np.ones(2)) for c in (counts, 1 - counts)]
    assert np.isnan(contrast(*parts).p_value()).tolist() == [True, False]
