import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from lamp_tasks import lamp_task
from quantrag.statistics.score_arrays import score_arrays_of
from quantrag.statistics.trends import (
    ALL,
    POOLED,
    TREND_COLUMNS,
    _pooled,
    covariance_of,
    slope_of,
    trend,
)
from synthetic_scores import cell

SETTINGS = {"baseline": "fp16", "policy": "worst_case", "confidence": 0.95}
KS = {"0": 300, "1": 450, "3": 800, "max_4K": 4000}


def planted(rng, slope, n=400, noise=0.3, models=("m",), retrievers=("bm25", "dpr")):
    """Cells in which the gap grows by `slope` per doubling, from 0.1 on, in each query."""
    cells = []
    for model in models:
        for k, tokens in KS.items():
            for retriever in retrievers if k != "0" else ("none",):
                n_tokens = (tokens * rng.uniform(0.8, 1.2, n)).astype(int)
                names = {"k": k, "model": model, "retriever": retriever, "n_tokens": n_tokens}
                base = rng.uniform(0, 2, n)
                gap = 0.1 + slope * np.log2(n_tokens / 300) + rng.normal(0, noise, n)
                cells.append(cell("fp16", absolute_error=base, **names))
                cells.append(cell("int4", absolute_error=base + gap, **names))
    return cells


def trends_of(cells, **settings):
    (grid,) = score_arrays_of(cells, [lamp_task(3)])
    return trend(grid, **(SETTINGS | settings))


def test_a_planted_slope_is_recovered():
    table = trends_of(planted(np.random.default_rng(0), 0.05))
    assert table.columns.tolist() == TREND_COLUMNS
    assert table["retriever"].tolist() == ["bm25", "dpr"]
    for _, row in table.iterrows():
        assert abs(row["slope_per_doubling"] - 0.05) < 3 * row["standard_error"]
        assert row["ci_low"] < row["slope_per_doubling"] < row["ci_high"]
        assert row["p_holm"] < 0.001
        assert (row["n"], row["n_clusters"], row["n_differing"]) == (1200, 400, 400)


def test_a_constant_gap_is_no_trend():
    table = trends_of(planted(np.random.default_rng(1), 0.0))
    assert (table["p_holm"] > 0.05).all()


def test_no_gap_at_all():
    table = trends_of([*planted(np.random.default_rng(0), 0.0, noise=0.0, n=20)])
    assert np.allclose(table["slope_per_doubling"], 0, atol=1e-12)


def test_the_step_to_retrieval_is_no_slope():
    """A gap of 0.3 without retrieval and none with it; the line from k = 0 on would fall."""
    rng = np.random.default_rng(3)
    cells = planted(rng, 0.0, n=1500)
    for frame in cells:
        gap = 0.3 - 0.1 if frame["k"].iloc[0] == "0" else -0.1
        if frame["precision"].iloc[0] == "int4":
            frame["absolute_error"] += gap
    table = trends_of(cells)
    for _, row in table.iterrows():
        assert row["p_holm"] > 0.05
        assert row["ci_low"] < 0 < row["ci_high"]
        assert row["step_ci_low"] < -0.3 < row["step_ci_high"]
        assert row["p_step_holm"] < 0.001
        assert row["gap"] == pytest.approx(0, abs=0.02)


def test_what_the_baseline_itself_does_stands_beside_the_gap():
    rng = np.random.default_rng(4)
    cells = planted(rng, 0.0, n=300)
    for frame in cells:
        frame["absolute_error"] += 0.2 * np.log2(frame["n_tokens"] / 300)
    row = trends_of(cells).iloc[0]
    assert row["baseline_slope"] == pytest.approx(0.2, abs=0.05)
    assert abs(row["slope_per_doubling"]) < 0.03


def test_a_slope_of_few_differing_clusters_covers_what_it_did_not_see():
    """1% of the answers become unreadable at each k: a constant gap."""
    rng = np.random.default_rng(5)
    clusters, everything = np.arange(100), np.ones((4, 100), dtype=bool)
    covered = []
    for _ in range(400):
        x = np.log2(np.array([[450], [800], [1000], [4000]]) * rng.uniform(0.8, 1.2, (4, 100)))
        y = np.where(rng.random((4, 100)) < 0.01, 3.0, 0.0)
        (low,), (high,) = slope_of(y, x, clusters, 100, everything, 4.0).interval(0.95)
        covered.append(low <= 0 <= high)
    assert np.mean(covered) >= 0.92


def test_slope_equals_statsmodels():
    rng = np.random.default_rng(2)
    n, clusters = 60, np.repeat(np.arange(20), 3)
    x, y = rng.normal(size=(2, 4, n))
    y += 0.3 * x + rng.normal(size=20)[clusters]
    include = rng.random((4, n)) < 0.9
    ours = slope_of(y, x, clusters, 20, include, 4.0)
    long = pd.DataFrame({"x": x.ravel(), "y": y.ravel(), "query": np.tile(np.arange(n), 4)})[
        include.ravel()
    ]
    long["user"] = clusters[long["query"]]
    within = long[["x", "y"]] - long.groupby("query")[["x", "y"]].transform("mean")
    # With one regressor statsmodels' correction is clusters / (clusters - 1) alone.
    fit = sm.OLS(within["y"], within["x"]).fit(
        cov_type="cluster", cov_kwds={"groups": long["user"].to_numpy()}
    )
    assert ours.mean[0] == pytest.approx(fit.params.iloc[0], rel=1e-10)
    assert ours.error[0] == pytest.approx(fit.bse.iloc[0], rel=1e-10)


def test_levels_of_queries_do_not_matter():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 4, 50))
    clusters, everything = np.arange(50), np.ones((4, 50), dtype=bool)
    first = slope_of(y, x, clusters, 50, everything, 4.0)
    moved = slope_of(y + 10 * rng.normal(size=50), x, clusters, 50, everything, 4.0)
    assert first.mean == pytest.approx(moved.mean)
    assert first.error == pytest.approx(moved.error)


def test_intervals_cover_the_slope():
    rng = np.random.default_rng(4)
    clusters = np.repeat(np.arange(80), 2)
    x = np.log2(np.array([[300], [450], [800], [4000]]) * rng.uniform(0.8, 1.2, (4, 160)))
    everything = np.ones(x.shape, dtype=bool)
    covered = []
    for _ in range(1000):
        # A user's own slope correlates the errors of all of a user's queries.
        own = rng.normal(0, 0.1, 80)[clusters]
        y = (0.05 + own) * x + rng.standard_t(5, x.shape)
        (low,), (high,) = slope_of(y, x, clusters, 80, everything, 5.0).interval(0.95)
        covered.append(low <= 0.05 <= high)
    assert 0.93 <= np.mean(covered) <= 0.985


def test_one_context_length_has_no_slope():
    x, y = np.full((1, 20), 8.0), np.ones((1, 20))
    result = slope_of(y, x, np.arange(20), 20, np.ones((1, 20), dtype=bool), 4.0)
    assert np.isnan(result.mean)
    cells = [c for c in planted(np.random.default_rng(0), 0.1, n=30) if c["k"].iloc[0] == "1"]
    table = trends_of(cells)
    assert table[["slope_per_doubling", "p_holm"]].isna().all(axis=None)


def test_models_are_pooled():
    table = trends_of(planted(np.random.default_rng(5), 0.05, models=("a", "b", "c")))
    pooled = table[table["model"] == POOLED]
    assert len(pooled) == 1
    row = pooled.iloc[0]
    assert (row["retriever"], row["n_models"]) == (ALL, 3)
    assert row["ci_low"] < 0.05 < row["ci_high"]
    assert row["n"] == 3 * 6 * 400
    assert row["p_holm"] == row["p_value"]
    assert row["models_correlation"] < 0.1


def pooled_of(rng, correlation, own_slopes, n=200):
    """The pooled row of models whose differences on a query are correlated."""
    common = rng.normal(size=(3, n))
    x = np.log2(np.array([[500], [1000], [2000]]) * rng.uniform(0.9, 1.1, (3, n)))
    slopes = []
    for slope in own_slopes:
        own = rng.normal(size=(3, n))
        noise = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
        everything = np.ones((3, n), dtype=bool)
        slopes.append(slope_of(slope * x + 0.3 * noise, x, np.arange(n), n, everything, 4.0))
    part = pd.DataFrame(
        {
            "slope_per_doubling": [s.mean[0] for s in slopes],
            "standard_error": [s.error[0] for s in slopes],
            "task": "t",
            "precision": "int4",
            "metric": "mae",
            "n": 3 * n,
            "n_clusters": n,
            "gap": 0.0,
            "baseline_slope": 0.0,
            "n_differing": n,
        }
    )
    return _pooled(part, slopes, 0.95).iloc[0]


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_pooled_slopes_of_models_that_share_their_queries(correlation):
    rng = np.random.default_rng(6)
    rows = [pooled_of(rng, correlation, rng.normal(0.05, 0.01, 6)) for _ in range(300)]
    covered = [row["ci_low"] <= 0.05 <= row["ci_high"] for row in rows]
    assert np.mean(covered) >= 0.92
    measured = np.mean([row["models_correlation"] for row in rows])
    assert measured == pytest.approx(correlation, abs=0.05)


def test_covariance_of_slopes():
    rng = np.random.default_rng(7)
    x, first = rng.normal(size=(2, 3, 500))
    second = first + rng.normal(size=(3, 500))
    everything = np.ones((3, 500), dtype=bool)
    slopes = [slope_of(y, x, np.arange(500), 500, everything, 9.0) for y in (first, second)]
    covariance = covariance_of(slopes)
    assert np.sqrt(np.diag(covariance)) == pytest.approx([s.error[0] for s in slopes])
    correlation = covariance[0, 1] / np.sqrt(np.prod(np.diag(covariance)))
    assert correlation == pytest.approx(np.sqrt(0.5), abs=0.08)


def test_excluded_answers_do_not_count():
    cells = planted(np.random.default_rng(7), 0.05)
    for frame in cells[:2]:
        frame.loc[:99, "valid"] = False
        frame.loc[:99, "absolute_error"] = 50.0
    table = trends_of(cells, policy="exclude")
    assert table["n"].tolist() == [1200, 1200]
    assert table["slope_per_doubling"].to_numpy() == pytest.approx(0.05, abs=0.02)
