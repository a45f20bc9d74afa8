import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from lamp_tasks import lamp_task
from quantrag.statistics.score_arrays import score_arrays_of
from quantrag.statistics.trends import ALL, POOLED, TREND_COLUMNS, _pooled, clustered_slope, trend
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
        assert (row["n"], row["n_clusters"]) == (1600, 400)


def test_a_constant_gap_is_no_trend():
    table = trends_of(planted(np.random.default_rng(1), 0.0))
    assert (table["p_holm"] > 0.05).all()


def test_no_gap_at_all():
    table = trends_of([*planted(np.random.default_rng(0), 0.0, noise=0.0, n=20)])
    assert np.allclose(table["slope_per_doubling"], 0, atol=1e-12)


def test_slope_equals_statsmodels():
    rng = np.random.default_rng(2)
    n, users = 60, np.repeat(np.arange(20), 3)
    x, y = rng.normal(size=(2, 4, n))
    y += 0.3 * x + rng.normal(size=20)[users]
    include = rng.random((4, n)) < 0.9
    ours = clustered_slope(y, x, users, 20, include)
    long = pd.DataFrame({"x": x.ravel(), "y": y.ravel(), "query": np.tile(np.arange(n), 4)})[
        include.ravel()
    ]
    long["user"] = users[long["query"]]
    within = long[["x", "y"]] - long.groupby("query")[["x", "y"]].transform("mean")
    # With one regressor statsmodels' correction is users / (users - 1) alone.
    fit = sm.OLS(within["y"], within["x"]).fit(
        cov_type="cluster", cov_kwds={"groups": long["user"].to_numpy()}
    )
    assert ours.slope == pytest.approx(fit.params.iloc[0], rel=1e-10)
    assert ours.error == pytest.approx(fit.bse.iloc[0], rel=1e-10)


def test_levels_of_queries_do_not_matter():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 4, 50))
    users, everything = np.arange(50), np.ones((4, 50), dtype=bool)
    first = clustered_slope(y, x, users, 50, everything)
    moved = clustered_slope(y + 10 * rng.normal(size=50), x, users, 50, everything)
    assert first == pytest.approx(moved)


def test_intervals_cover_the_slope():
    rng = np.random.default_rng(4)
    users = np.repeat(np.arange(80), 2)
    x = np.log2(np.array([[300], [450], [800], [4000]]) * rng.uniform(0.8, 1.2, (4, 160)))
    everything = np.ones(x.shape, dtype=bool)
    covered = []
    for _ in range(1000):
        # A user's own slope correlates the errors of all of a user's queries.
        own = rng.normal(0, 0.1, 80)[users]
        y = (0.05 + own) * x + rng.standard_t(5, x.shape)
        result = clustered_slope(y, x, users, 80, everything)
        covered.append(abs(result.slope - 0.05) <= 1.9905 * result.error)  # t(0.975; 79)
    assert 0.93 <= np.mean(covered) <= 0.97


def test_one_context_length_has_no_slope():
    x, y = np.full((1, 20), 8.0), np.ones((1, 20))
    result = clustered_slope(y, x, np.arange(20), 20, np.ones((1, 20), dtype=bool))
    assert np.isnan(result.slope)
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
    # Models without retrieval count once, not once for each retriever.
    assert row["n"] == 3 * 7 * 400
    assert row["p_holm"] == row["p_value"]


def test_pooled_intervals_cover_the_mean_slope():
    """Six models, each with its own true slope."""
    rng = np.random.default_rng(6)
    covered = []
    for _ in range(400):
        error = rng.uniform(0.01, 0.03, 6)
        slope = rng.normal(0.05, 0.02, 6) + rng.normal(0, error)
        names = {"task": "t", "precision": "int4", "metric": "mae", "n": 1, "n_clusters": 1}
        part = pd.DataFrame({"slope_per_doubling": slope, "standard_error": error, **names})
        row = _pooled(part).iloc[0]
        reach = 2.5706 * row["standard_error"]  # t(0.975; 5)
        covered.append(abs(row["slope_per_doubling"] - 0.05) <= reach)
    assert 0.92 <= np.mean(covered) <= 0.985


def test_excluded_answers_do_not_count():
    cells = planted(np.random.default_rng(7), 0.05)
    for frame in cells[:2]:
        frame.loc[:99, "valid"] = False
        frame.loc[:99, "absolute_error"] = 50.0
    table = trends_of(cells, policy="exclude")
    assert table["n"].tolist() == [1500, 1500]
    assert table["slope_per_doubling"].to_numpy() == pytest.approx(0.05, abs=0.02)
