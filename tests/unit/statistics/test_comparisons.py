import numpy as np
import pandas as pd
import pytest
from scipy.stats import entropy, ttest_1samp
from sklearn.metrics import f1_score

from lamp_tasks import lamp_task
from quantrag.names import NOISE_FLOOR
from quantrag.statistics.comparisons import (
    COMPARISON_COLUMNS,
    POOLED_COLUMNS,
    compare,
    mean_kl,
    pool,
)
from quantrag.statistics.score_arrays import CELL, ScoreArrays
from quantrag.statistics.summaries import summarize
from synthetic_scores import cell, grid_of

SETTINGS = {
    "baseline": "fp16",
    "policy": "worst_case",
    "confidence": 0.95,
    "margin": 0.02,
    "power": 0.8,
    "permutations": 999,
    "seed": 0,
}


POOL_SETTINGS = ("baseline", "policy", "confidence", "margin", "power")


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
    assert row["p_value"] == pytest.approx(row["p_holm"])
    assert row["p_value"] < 1e-6
    assert row["p_swap"] == 0.001
    assert row["margin"] == pytest.approx(0.02 * first.mean())
    assert row["precision_value"] == pytest.approx(second.mean())
    assert (row["n"], row["n_clusters"]) == (800, 800)


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
    assert row["p_holm"] < 0.05
    assert row["verdict"] == "equivalent"


def test_the_baseline_against_itself():
    first = errors(np.random.default_rng(0), 3000)
    row = comparison(cell("fp16", absolute_error=first), cell("int4", absolute_error=first))
    assert (row[["difference", "flip_rate", "right_to_wrong", "n_differing"]] == 0).all()
    # What might happen without having been seen once: the rule of three.
    assert row["ci_high"] == -row["ci_low"] == pytest.approx(4 * (1 - 0.025 ** (1 / 3000)), 0.01)
    assert row["p_value"] == row["p_swap"] == 1
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


def test_excluded_are_queries_with_an_invalid_answer_on_either_side():
    first = cell("fp16", absolute_error=np.array([1, 4, 1, 0.0]), valid=[True, False, True, True])
    second = cell("int4", absolute_error=np.array([2, 0, 4, 1.0]), valid=[True, True, False, True])
    row = comparison(first, second, policy="exclude")
    assert (row["n"], row["difference"]) == (2, 1.0)
    assert row["unparseable_rate"] == row["baseline_unparseable_rate"] == 0.25
    assert comparison(first, second)["difference"] == pytest.approx(0.25)


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
        cell(p, absolute_error=np.repeat(e, 10), cluster_id=users)
        for p, e in (("fp16", first), ("int4", second))
    ]
    columns = ["difference", "ci_low", "ci_high", "p_value", "p_equivalence", "min_detectable"]
    one, ten = comparison(*single), comparison(*tenfold)
    assert one[columns].tolist() == pytest.approx(ten[columns].tolist())
    assert (ten["n"], ten["n_clusters"]) == (400, 40)


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
        table = compare(grid_of(*cells), **(SETTINGS | {"seed": seed}))
        found += table[table["metric"] == "mae"]["verdict"].isin(["worse", "better"]).any()
    assert found <= 3  # 5 % of 20 is 1; more than 3 has a probability of 1.6 %


def test_kl_equals_scipys():
    rng = np.random.default_rng(9)
    first, second = np.log(rng.dirichlet(np.ones(5), size=(2, 10)))
    first[0] += 3  # unnormalized: mass on other tokens
    second[3] = np.nan
    known = np.delete(np.arange(10), 3)
    expected = np.mean([entropy(np.exp(first[i]), np.exp(second[i])) for i in known])
    assert mean_kl(first, second) == (pytest.approx(expected), 9)
    assert mean_kl(np.full((2, 5), np.nan), first[:2]) == (pytest.approx(np.nan, nan_ok=True), 0)


def test_the_same_seed_gives_the_same_table():
    rng = np.random.default_rng(0)
    grid = grid_of(
        cell("fp16", absolute_error=errors(rng)), cell("int4", absolute_error=errors(rng))
    )
    first, again = compare(grid, **SETTINGS), compare(grid, **SETTINGS)
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    # Only the swaps are drawn at random.
    other = compare(grid, **(SETTINGS | {"seed": 1}))
    assert (first["p_swap"] != other["p_swap"]).any()
    drawn = ["p_swap"]
    pd.testing.assert_frame_equal(first.drop(columns=drawn), other.drop(columns=drawn))


@pytest.mark.parametrize(
    ("lamp", "columns"),
    [
        (1, {"correct": np.ones(16), "predicted_label": np.zeros(16), "gold_label": np.zeros(16)}),
        (3, {"absolute_error": np.ones(16)}),
        (3, {"absolute_error": np.zeros(16)}),
        (5, {"rouge1": np.ones(16), "rougeL": np.ones(16)}),
    ],
)
def test_a_constant_baseline_proves_nothing(lamp, columns):
    for n in (2, 5, 16):
        few = {name: values[:n] for name, values in columns.items()}
        table = compare(grid_of(cell("fp16", **few), cell("int4", **few), lamp=lamp), **SETTINGS)
        assert (table["verdict"] == "inconclusive").all()
        assert (table["min_detectable"] > 0).all()
        assert (table["min_detectable_holm"] > 0).all()


def test_rare_losses_are_not_called_equivalent_before_the_rule_of_three_allows_it():
    for n, verdict in ((100, "inconclusive"), (298, "inconclusive"), (302, "equivalent")):
        right = dict.fromkeys(("predicted_label", "gold_label"), np.zeros(n))
        right["correct"] = np.arange(n) % 2.0
        row = comparison(cell("fp16", **right), cell("int4", **right), lamp=1, metric="accuracy")
        assert row["verdict"] == verdict


def test_a_single_user_has_no_interval_and_no_verdict():
    cells = [
        cell(p, rouge1=[x], rougeL=[x], predicted_label=[0], gold_label=[0], correct=[x])
        for p, x in (("fp16", 0.5), ("int4", 1.0))
    ]
    for lamp in (5, 1):
        table = compare(grid_of(*cells, lamp=lamp), **SETTINGS)
        assert (table["verdict"] == "inconclusive").all()
        assert table[["ci_low", "ci_high", "p_value", "p_equivalence"]].isna().all(axis=None)
        scores = summarize(
            grid_of(*cells, lamp=lamp), policy="worst_case", confidence=0.95, draws=100, seed=0
        )
        assert scores[["ci_low", "ci_high"]].isna().all(axis=None)
        assert scores["value"].notna().all()


def test_only_users_with_a_valid_pair_count():
    rng = np.random.default_rng(5)
    first, second = errors(rng, 8), errors(rng, 8)
    alone = comparison(cell("fp16", absolute_error=first), cell("int4", absolute_error=second))
    valid = np.r_[np.ones(8, dtype=bool), np.zeros(2492, dtype=bool)]
    padded = comparison(
        *[
            cell(p, absolute_error=np.r_[e, errors(rng, 2492)], valid=valid)
            for p, e in (("fp16", first), ("int4", second))
        ],
        policy="exclude",
    )
    columns = ["difference", "ci_low", "ci_high", "p_value", "p_equivalence", "p_swap"]
    columns += ["min_detectable", "margin_needs", "n", "n_clusters", "n_differing"]
    assert padded[columns].tolist() == pytest.approx(alone[columns].tolist())


def test_margins_in_a_metrics_own_unit_and_of_the_gain():
    rng = np.random.default_rng(6)
    names = [("0", "none", 2.0), ("1", "bm25", 1.5), ("3", "bm25", 2.5)]
    cells = [
        cell(p, k, retriever=r, absolute_error=level + rng.uniform(0, 0.1, 500))
        for k, r, level in names
        for p in ("fp16", "int4")
    ]
    table = compare(grid_of(*cells), **(SETTINGS | {"margin": {"mae": 0.05}}))
    mae, rmse = (table[table["metric"] == metric] for metric in ("mae", "rmse"))
    assert mae["margin"].tolist() == [0.05] * 3
    assert rmse["margin"].tolist() == pytest.approx((0.02 * rmse["baseline_value"]).tolist())
    table = compare(grid_of(*cells), **(SETTINGS | {"margin": {"mae": {"gain": 0.1}}}))
    mae = table[table["metric"] == "mae"].set_index("k")
    # Retrieval of one document takes half a point from the error; of three, it adds to it.
    gain = mae["baseline_value"]["0"] - mae["baseline_value"]["1"]
    assert mae["margin"].to_dict() == pytest.approx(
        {"0": np.nan, "1": 0.1 * gain, "3": np.nan}, nan_ok=True
    )
    assert mae["verdict"].tolist() == ["inconclusive", "equivalent", "inconclusive"]


def test_pooled_comparisons_are_means_over_cells():
    rng = np.random.default_rng(7)
    cells, gaps = [], []
    for k in ("0", "1", "3"):
        first = errors(rng, 2500)
        second = first + (rng.random(2500) < 0.05)
        gaps.append(second - first)
        cells += [cell("fp16", k, absolute_error=first), cell("int4", k, absolute_error=second)]
    settings = {name: SETTINGS[name] for name in POOL_SETTINGS}
    table = pool(grid_of(*cells), **settings)
    assert table.columns.tolist() == POOLED_COLUMNS
    assert table["metric"].tolist() == ["mae"]
    row = table.iloc[0]
    by_user = np.mean(gaps, axis=0)
    assert row["difference"] == pytest.approx(by_user.mean())
    assert (row["n_cells"], row["n"], row["n_clusters"]) == (3, 2500, 2500)
    assert row["n_differing"] == np.sum(by_user > 0)
    # Wider than the t interval: a change of the whole scale that no user has shown is allowed for.
    unseen = 4 * (1 - 0.025 ** (1 / 2500))
    interval = ttest_1samp(by_user, 0).confidence_interval(0.95)
    assert row["ci_low"] == pytest.approx(by_user.mean() - unseen, rel=0.01)
    assert row["ci_high"] == pytest.approx(by_user.mean() + unseen, rel=0.01)
    assert row["ci_low"] < interval.low < interval.high < row["ci_high"]
    assert row["verdict"] == "worse"
    single = compare(grid_of(*cells), **SETTINGS)
    single = single[single["metric"] == "mae"]
    width = single["ci_high"] - single["ci_low"]
    assert row["ci_high"] - row["ci_low"] < 0.75 * width.min()
    assert np.all(single["p_holm"] >= row["p_holm"])


def test_cells_are_tested_only_where_the_pooled_comparison_finds_a_difference():
    rng = np.random.default_rng(8)
    first = 1 + errors(rng, 1000)
    changed = rng.random(1000) < 0.1
    up, down = first + changed, first - changed
    cells = [
        cell(p, k, absolute_error=e)
        for k, other in (("1", up), ("3", down))
        for p, e in (("fp16", first), ("int4", other))
    ]
    table = compare(grid_of(*cells), **SETTINGS)
    table = table[table["metric"] == "mae"]
    assert (table["p_value"] < 1e-6).all()
    assert (table["p_holm"] > 0.05).all()
    assert (table["verdict"] == "inconclusive").all()


def test_the_second_pass_is_the_negative_control():
    rng = np.random.default_rng(9)
    cells = []
    for model in "ab":
        first = errors(rng, 400)
        noisy = np.where(rng.random(400) < 0.02, errors(rng, 400), first)
        worse = first + (rng.random(400) < 0.2)
        for precision, values in (("fp16", first), (NOISE_FLOOR, noisy), ("int4", worse)):
            cells.append(cell(precision, model=model, absolute_error=values))
    table = pool(grid_of(*cells), **{name: SETTINGS[name] for name in POOL_SETTINGS})
    verdict = table.set_index(["model", "precision"])["verdict"]
    assert verdict.loc[:, "int4"].tolist() == ["worse"] * 2
    assert verdict.loc[:, NOISE_FLOOR].tolist() == ["inconclusive"] * 2


def test_flips_are_tested_against_the_second_pass():
    rng = np.random.default_rng(10)
    answers = np.array(["a", "b", "c"])[rng.integers(0, 3, 500)]
    other = np.where(rng.random(500) < 0.1, "x", answers)
    much = np.where(rng.random(500) < 0.2, "y", answers)
    values = {"absolute_error": np.ones(500)}
    reference = cell("fp16", flip_key=answers, **values)
    noise = cell(NOISE_FLOOR, flip_key=other, **values)
    for keys, is_more in ((much, True), (other, False)):
        row = comparison(reference, noise, cell("int4", flip_key=keys, **values))
        assert (row["p_flips"] < 0.05) == is_more
    assert np.isnan(comparison(reference, cell("int4", flip_key=much, **values))["p_flips"])


def simulated(lamp, scores):
    """A grid of 1,000 models as 1,000 replications; scores are (2, replications, queries)."""
    _, replications, n = next(iter(scores.values())).shape
    names = [(f"m{i}", p, "bm25", "1") for p in ("fp16", "int4") for i in range(replications)]
    flat = {name: values.reshape(-1, n) for name, values in scores.items()}
    shape = (2 * replications, n)
    return ScoreArrays(
        task=lamp_task(lamp),
        cells=pd.DataFrame(names, columns=CELL),
        clusters=np.arange(n) // 2,
        n_clusters=n // 2,
        scores=flat,
        valid=np.ones(shape, dtype=bool),
        n_tokens=np.full(shape, 100),
        evidence=np.full(shape, "", dtype=object),
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
    table = compare(simulated(3, scores), **SETTINGS)
    mixed = 0.7 * before + 0.3 * after
    assert 0.93 <= covered(table, "mae", levels @ (mixed - before)) <= 0.99
    roots = [np.sqrt(levels**2 @ weights) for weights in (before, mixed)]
    assert 0.93 <= covered(table, "rmse", roots[1] - roots[0]) <= 0.99


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
    table = compare(simulated(1, {"correct": right * 1.0, **labels}), **SETTINGS)
    truth = 0.8 * 0.8 + 0.2 * 0.5 - 0.8
    assert 0.93 <= covered(table, "accuracy", truth) <= 0.99
    assert 0.93 <= covered(table, "f1", truth) <= 0.99


def test_false_equivalence_and_false_differences_are_rare():
    """True differences of exactly the margin; and none at all."""
    rng = np.random.default_rng(12)
    first = rng.uniform(0, 2, (2000, 400))
    for share, column, most in ((0.02, "equivalent", 0.05), (0.0, "p_value", 0.05)):
        second = first + share * 1.0 + rng.normal(0, 0.1, first.shape)
        pair = np.stack([first, second])
        scores = {"absolute_error": pair, "squared_error": pair**2, "correct": (pair == 0) * 1.0}
        table = compare(simulated(3, scores), **SETTINGS)
        rows = table[table["metric"] == "mae"][column]
        wrong = rows if column == "equivalent" else rows < 0.05
        # Two standard errors of 2,000 replications are 1 %.
        assert wrong.mean() <= most + 0.01


def test_without_some_answers_it_is_as_if_their_queries_had_not_been_asked():
    rng = np.random.default_rng(5)
    n, kept = 300, np.arange(300) >= 60
    flags = {"fp16": np.arange(n) < 30, "int4": (np.arange(n) >= 20) & (np.arange(n) < 60)}
    flags[NOISE_FLOOR] = np.zeros(n, bool)

    def cells(queries):
        return [
            cell(
                name,
                absolute_error=values[queries],
                valid=rng.random(queries.sum()) < 2,
                **{"late↓": flags[name][queries].astype(float)},
            )
            for name, values in scores.items()
        ]

    scores = {name: errors(rng, n) for name in flags}
    left_out, fewer = grid_of(*cells(np.ones(n, bool))).without("late"), grid_of(*cells(kept))
    fewer.scores.pop("late↓")
    for policy in ("worst_case", "exclude"):
        settings = SETTINGS | {"policy": policy}
        one, other = compare(left_out, **settings), compare(fewer, **settings)
        pd.testing.assert_frame_equal(one.drop(columns="p_swap"), other.drop(columns="p_swap"))
        of_pool = {key: settings[key] for key in POOL_SETTINGS}
        one, other = (pool(grid, **of_pool).set_index("precision") for grid in (left_out, fewer))
        pd.testing.assert_frame_equal(one.loc[["int4"]], other.loc[["int4"]])
        assert one.loc[NOISE_FLOOR, "n"] == 270


def test_where_every_answer_is_left_out_there_is_no_comparison():
    def cells(of_noise, of_int4):
        flags = {"fp16": 0.0, NOISE_FLOOR: of_noise, "int4": of_int4}
        return [
            cell(name, absolute_error=np.arange(4.0), **{"late↓": np.full(4, flag)})
            for name, flag in flags.items()
        ]

    assert compare(grid_of(*cells(0.0, 1.0)).without("late"), **SETTINGS).empty
    table = compare(grid_of(*cells(1.0, 0.0)).without("late"), **SETTINGS)
    assert table["flip_rate"].tolist() == [0, 0]
    assert table[["noise_flip_rate", "p_flips"]].isna().all(axis=None)
