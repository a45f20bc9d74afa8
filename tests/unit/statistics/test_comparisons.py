import numpy as np
import pandas as pd
import pytest
from scipy.stats import entropy
from sklearn.metrics import f1_score

from lamp_tasks import lamp_task
from quantrag.errors import UserError
from quantrag.names import NOISE_FLOOR
from quantrag.statistics.comparisons import COMPARISON_COLUMNS, compare, mean_kl
from quantrag.statistics.grid import CELL, TaskGrid, grids_of
from quantrag.statistics.summaries import SCORE_COLUMNS, summarize
from synthetic_scores import cell

SETTINGS = {
    "baseline": "fp16",
    "policy": "worst_case",
    "confidence": 0.95,
    "margin": 0.02,
    "power": 0.8,
    "draws": 400,
    "permutations": 999,
    "seed": 0,
}


def grid_of(*cells, lamp=3):
    (grid,) = grids_of(cells, [lamp_task(lamp)])
    return grid


def comparison(*cells, lamp=3, metric="mae", **settings):
    table = compare(grid_of(*cells, lamp=lamp), **(SETTINGS | settings))
    assert table.columns.tolist() == COMPARISON_COLUMNS
    return table[table["metric"] == metric].iloc[0]


def errors(rng, n=800):
    return rng.integers(0, 3, n).astype(float)


def test_more_errors_are_worse():
    rng = np.random.default_rng(0)
    first = errors(rng)
    second = first + (rng.random(800) < 0.3)
    row = comparison(cell("fp16", absolute_error=first), cell("int4", absolute_error=second))
    assert row["verdict"] == "worse"
    assert row["difference"] == pytest.approx(np.mean(second - first))
    assert row["ci_low"] < row["difference"] < row["ci_high"]
    assert row["ci_low"] > 0
    assert row["p_value"] == row["p_holm"] == 0.001
    assert row["margin"] == pytest.approx(0.02 * first.mean())
    assert row["precision_value"] == pytest.approx(second.mean())
    assert (row["n"], row["n_users"]) == (800, 800)


def test_lower_rouge_is_worse_and_fewer_errors_are_better():
    rng = np.random.default_rng(1)
    low, high = rng.uniform(0, 0.5, 500), rng.uniform(0.1, 0.6, 500)
    texts = {"rouge1": low, "rougeL": low}, {"rouge1": high, "rougeL": high}
    row = comparison(cell("fp16", **texts[1]), cell("int4", **texts[0]), lamp=5, metric="rougeL")
    assert row["verdict"] == "worse"
    assert row["difference"] < 0
    row = comparison(cell("fp16", absolute_error=high), cell("int4", absolute_error=low))
    assert row["verdict"] == "better"


def test_tiny_differences_are_equivalent_and_few_queries_inconclusive():
    rng = np.random.default_rng(2)
    for n, verdict in ((4000, "equivalent"), (40, "inconclusive")):
        first = rng.uniform(1, 2, n)
        second = first + rng.normal(0, 0.2, n)
        row = comparison(cell("fp16", absolute_error=first), cell("int4", absolute_error=second))
        assert row["verdict"] == verdict
        assert row["equivalent"] == (verdict == "equivalent")
        assert 0 < row["min_detectable"] <= row["min_detectable_holm"]


def test_a_small_difference_that_is_real_is_equivalent_all_the_same():
    first = np.random.default_rng(0).uniform(1, 2, 3000)
    row = comparison(cell("fp16", absolute_error=first), cell("int4", absolute_error=first + 0.01))
    assert row["p_holm"] == 0.001
    assert row["verdict"] == "equivalent"


def test_the_baseline_against_itself():
    first = errors(np.random.default_rng(0), 3000)
    row = comparison(cell("fp16", absolute_error=first), cell("int4", absolute_error=first))
    zeros = row[["difference", "ci_low", "ci_high", "flip_rate", "right_to_wrong"]]
    assert (zeros == 0).all()
    assert row["p_value"] == 1
    assert row["verdict"] == "equivalent"


def test_rmse_is_the_difference_of_roots():
    rng = np.random.default_rng(3)
    first, second = errors(rng), errors(rng)
    row = comparison(
        cell("fp16", absolute_error=first), cell("int4", absolute_error=second), metric="rmse"
    )
    expected = np.sqrt(np.mean(second**2)) - np.sqrt(np.mean(first**2))
    assert row["difference"] == pytest.approx(expected, abs=1e-12)


def test_f1_is_scikit_learns():
    rng = np.random.default_rng(4)
    labels = list(lamp_task(2).labels)
    golds = rng.integers(len(labels), size=400)
    answers = {
        p: np.where(rng.random(400) < 0.5, golds, rng.integers(len(labels), size=400)) for p in "ab"
    }
    cells = [
        cell(p, predicted_label=a, gold_label=golds, correct=(a == golds).astype(float))
        for p, a in answers.items()
    ]
    row = comparison(*cells, lamp=2, metric="f1", baseline="a")
    scores = {
        p: f1_score(golds, a, labels=range(len(labels)), average="macro")
        for p, a in answers.items()
    }
    assert row["difference"] == pytest.approx(scores["b"] - scores["a"], abs=1e-12)
    assert row["ci_low"] < row["difference"] < row["ci_high"]


def test_flips_by_hand():
    row = comparison(
        cell("fp16", absolute_error=np.array([0, 0, 1, 1.0]), flip_key=["a", "b", "c", "d"]),
        cell("int4", absolute_error=np.array([0, 1, 0, 0.0]), flip_key=["a", "x", "y", "z"]),
        cell(NOISE_FLOOR, absolute_error=np.array([0, 0, 1, 0.0]), flip_key=["a", "b", "c", "n"]),
    )
    assert row["flip_rate"] == 0.75
    assert row["noise_flip_rate"] == 0.25
    assert row["right_to_wrong"] == 0.25
    assert row["wrong_to_right"] == 0.5
    assert row["noise_right_to_wrong"] == 0
    assert row["noise_wrong_to_right"] == 0.25


def test_the_noise_floor_and_cells_without_a_baseline_are_not_compared():
    values = {"absolute_error": errors(np.random.default_rng(0), 20)}
    cells = [cell("fp16", **values), cell(NOISE_FLOOR, **values), cell("int4", "3", **values)]
    assert compare(grid_of(*cells), **SETTINGS).empty
    table = summarize(grid_of(*cells), policy="worst_case", confidence=0.95, draws=100, seed=0)
    assert table["precision"].tolist() == ["fp16"] * 2 + [NOISE_FLOOR] * 2 + ["int4"] * 2


def test_excluded_are_queries_with_an_invalid_answer_on_either_side():
    first = cell("fp16", absolute_error=np.array([1, 4, 1, 0.0]), valid=[True, False, True, True])
    second = cell("int4", absolute_error=np.array([2, 0, 4, 1.0]), valid=[True, True, False, True])
    row = comparison(first, second, policy="exclude")
    assert (row["n"], row["difference"]) == (2, 1.0)
    assert row["unparseable_rate"] == row["baseline_unparseable_rate"] == 0.25
    assert comparison(first, second)["difference"] == pytest.approx(0.25)


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


def test_nothing_valid_gives_no_value():
    first = cell("fp16", absolute_error=np.array([1, 4.0]), valid=[False, False])
    second = cell("int4", absolute_error=np.array([1, 4.0]))
    table = compare(grid_of(first, second), **(SETTINGS | {"policy": "exclude"}))
    assert table[["difference", "ci_low", "p_value", "p_holm"]].isna().all(axis=None)
    assert (table["verdict"] == "inconclusive").all()


def test_users_are_resampled_not_queries():
    """Ten queries of a user that all say the same are one observation, not ten."""
    rng = np.random.default_rng(6)
    first, second = errors(rng, 40), errors(rng, 40)
    single = [cell("fp16", absolute_error=first), cell("int4", absolute_error=second)]
    users = [f"u{i}" for i in range(40) for _ in range(10)]
    tenfold = [
        cell(p, absolute_error=np.repeat(e, 10), user_id=users)
        for p, e in (("fp16", first), ("int4", second))
    ]
    columns = ["difference", "ci_low", "ci_high", "p_value", "p_equivalence", "min_detectable"]
    one, ten = comparison(*single), comparison(*tenfold)
    assert one[columns].tolist() == pytest.approx(ten[columns].tolist())
    assert (ten["n"], ten["n_users"]) == (400, 40)


def test_holm_is_over_a_tasks_metric():
    rng = np.random.default_rng(7)
    cells = []
    for model in "abcd":
        first = errors(rng, 300)
        cells.append(cell("fp16", model=model, absolute_error=first))
        second = first + (rng.random(300) < 0.05)
        cells.append(cell("int4", model=model, absolute_error=second))
    table = compare(grid_of(*cells), **SETTINGS)
    for _, family in table.groupby("metric"):
        assert len(family) == 4
        smallest = family["p_value"].min()
        assert family["p_holm"].min() == pytest.approx(min(1, 4 * smallest))


def test_shuffled_labels_give_no_differences():
    """Which precision an answer came from is drawn by lot: nothing may be found."""
    rng = np.random.default_rng(8)
    found = 0
    for seed in range(20):
        cells = []
        for model in "abcde":
            pair = np.stack([errors(rng, 300), errors(rng, 300) + 0.5])
            pair = np.take_along_axis(pair, rng.permuted(np.tile([[0], [1]], 300), axis=0), axis=0)
            cells += [
                cell(p, model=model, absolute_error=e)
                for p, e in zip(("fp16", "int4"), pair, strict=True)
            ]
        table = compare(grid_of(*cells), **(SETTINGS | {"seed": seed, "draws": 100}))
        found += table[table["metric"] == "mae"]["verdict"].isin(["worse", "better"]).any()
    assert found <= 3  # 5 % of 20 is 1; more than 3 has a probability of 1.6 %


def test_kl_equals_scipys():
    rng = np.random.default_rng(9)
    first, second = np.log(rng.dirichlet(np.ones(5), size=(2, 10)))
    first[0] += 3  # unnormalized: mass on other tokens
    second[3] = np.nan
    known = np.delete(np.arange(10), 3)
    expected = np.mean([entropy(np.exp(first[i]), np.exp(second[i])) for i in known])
    assert mean_kl(first, second) == pytest.approx(expected)
    assert np.isnan(mean_kl(np.full((2, 5), np.nan), first[:2]))


def test_the_same_seed_gives_the_same_table():
    rng = np.random.default_rng(0)
    grid = grid_of(
        cell("fp16", absolute_error=errors(rng)), cell("int4", absolute_error=errors(rng))
    )
    first, again = compare(grid, **SETTINGS), compare(grid, **SETTINGS)
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    other = compare(grid, **(SETTINGS | {"seed": 1}))
    assert (first["ci_low"] != other["ci_low"]).any()


def test_cells_with_other_queries_are_refused():
    first, second = (cell(p, absolute_error=np.zeros(n)) for p, n in (("fp16", 5), ("int4", 6)))
    with pytest.raises(UserError, match="int4"):
        grid_of(first, second)


def simulated(lamp, scores):
    """A grid of 1,000 models as 1,000 replications; scores are (2, replications, queries)."""
    _, replications, n = next(iter(scores.values())).shape
    names = [(f"m{i}", p, "bm25", "1") for p in ("fp16", "int4") for i in range(replications)]
    flat = {name: values.reshape(-1, n) for name, values in scores.items()}
    shape = (2 * replications, n)
    return TaskGrid(
        task=lamp_task(lamp),
        cells=pd.DataFrame(names, columns=CELL),
        users=np.arange(n) // 2,
        n_users=n // 2,
        scores=flat,
        valid=np.ones(shape, dtype=bool),
        n_tokens=np.full(shape, 100),
        answers=np.zeros(shape, dtype=int),
        logprobs=None,
    )


def draw_pairs(rng, n, replications, draw, redraw, changed):
    """Answers of two precisions, (2, replications, n): `changed` of the second's are drawn anew.

    Half of the users (of two queries) give the same answers to both.
    """
    first = draw((replications, n))
    second = np.where(rng.random(first.shape) < changed, redraw(first.shape), first)
    pair = np.stack([first, second])
    copies = rng.random((replications, n // 2)) < 0.5
    pair[:, :, 1::2] = np.where(copies, pair[:, :, ::2], pair[:, :, 1::2])
    return pair


def covered(table, metric, truth):
    rows = table[table["metric"] == metric]
    return np.mean((rows["ci_low"] <= truth) & (truth <= rows["ci_high"]))


def test_intervals_of_differences_cover_the_truth():
    """1,000 replications through the whole of `compare`, 150 users of two queries."""
    rng = np.random.default_rng(10)
    levels = np.array([0.0, 1.0, 2.0, 3.0])
    before, after = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.3, 0.3, 0.2, 0.2])
    pair = draw_pairs(
        rng,
        300,
        1000,
        lambda shape: rng.choice(levels, shape, p=before),
        lambda shape: rng.choice(levels, shape, p=after),
        0.3,
    )
    scores = {"absolute_error": pair, "squared_error": pair**2, "correct": (pair == 0) * 1.0}
    table = compare(simulated(3, scores), **(SETTINGS | {"draws": 2000}))
    mixed = 0.7 * before + 0.3 * after
    assert 0.93 <= covered(table, "mae", levels @ (mixed - before)) <= 0.97
    roots = [np.sqrt(levels**2 @ weights) for weights in (before, mixed)]
    assert 0.93 <= covered(table, "rmse", roots[1] - roots[0]) <= 0.97


def test_intervals_of_f1_differences_cover_the_truth():
    """Two balanced labels and symmetric mistakes: F1 is the accuracy."""
    rng = np.random.default_rng(11)
    golds = np.arange(300) % 2  # a user's two queries have different golds
    right = draw_pairs(
        rng, 300, 1000, lambda s: rng.random(s) < 0.8, lambda s: rng.random(s) < 0.5, 0.2
    )
    labels = {
        "predicted_label": np.where(right, golds, 1 - golds),
        "gold_label": np.broadcast_to(golds, right.shape),
    }
    table = compare(
        simulated(1, {"correct": right * 1.0, **labels}), **(SETTINGS | {"draws": 2000})
    )
    truth = 0.8 * 0.8 + 0.2 * 0.5 - 0.8
    assert 0.93 <= covered(table, "accuracy", truth) <= 0.97
    assert 0.93 <= covered(table, "f1", truth) <= 0.97


def test_false_equivalence_and_false_differences_are_rare():
    """True differences of exactly the margin; and none at all."""
    rng = np.random.default_rng(12)
    first = rng.uniform(0, 2, (2000, 400))
    for share, column, most in ((0.02, "equivalent", 0.05), (0.0, "p_value", 0.05)):
        second = first + share * 1.0 + rng.normal(0, 0.1, first.shape)
        pair = np.stack([first, second])
        scores = {"absolute_error": pair, "squared_error": pair**2, "correct": (pair == 0) * 1.0}
        table = compare(simulated(3, scores), **(SETTINGS | {"draws": 100}))
        rows = table[table["metric"] == "mae"][column]
        wrong = rows if column == "equivalent" else rows < 0.05
        # Two standard errors of 2,000 replications are 1 %.
        assert wrong.mean() <= most + 0.01
