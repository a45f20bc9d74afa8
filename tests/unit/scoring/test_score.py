import math

import numpy as np
import pandas as pd
import pytest

from lamp_tasks import lamp_task
from quantrag.errors import UserError
from quantrag.grid import Cell, K
from quantrag.scoring.score import score_task

QUERIES = pd.DataFrame({"query_id": ["a", "b"], "cluster_id": ["u", "v"], "golds": [["5"], ["2"]]})


def completions(texts, ids=("a", "b"), **columns):
    return pd.DataFrame({"query_id": list(ids), "text": texts, "prompt_tokens": 7, **columns})


def score(frame, rule="lenient", lamp=3, queries=QUERIES):
    cells = [Cell("t", "bm25", K(False, 1))]
    return score_task([frame], cells, queries, task=lamp_task(lamp), rule=rule)


def test_columns_and_types():
    scores = score(completions(["Rating: 5", "well"]))
    assert scores.columns.tolist() == [
        *["task", "retriever", "k", "query_id", "cluster_id", "prediction", "golds", "valid"],
        *["n_tokens", "evidence", "flip_key", "correct", "absolute_error", "rougeL"],
        *["squared_error", "rouge1", "predicted_label", "gold_label", "token_f1", "contains"],
        *["nll", "rps", "log_loss", "brier", "divergence", "same_top"],
        *["gold_logprob", "gold_tokens", "logprobs"],
    ]
    assert scores["n_tokens"].dtype == np.int32
    assert scores["valid"].tolist() == [True, False]
    assert scores["prediction"].tolist() == ["5", "well"]
    # An unreadable rating of a 2 counts as a 5.
    assert scores["absolute_error"].tolist() == [0, 3]
    assert scores["squared_error"].tolist() == [0, 9]
    assert scores["correct"].tolist() == [1, 0]


def test_the_evidence_is_placed_where_the_documents_are_known():
    queries = QUERIES.assign(evidence=[["d2", "d9"], []])
    frame = completions(["5", "2"], document_ids=[["d1", "d2", "d3"], ["d2"]])
    assert score(frame, queries=queries)["evidence"].tolist() == ["middle", ""]
    assert score(completions(["5", "2"]), queries=queries)["evidence"].tolist() == ["", ""]


def test_cells_follow_each_other():
    frames = [completions(["5", "2"]), completions(["1", "2"])]
    cells = [Cell("t", "none", K(False, 0)), Cell("t", "bm25", K(True, 4))]
    scores = score_task(frames, cells, QUERIES, task=lamp_task(3), rule="lenient")
    assert scores["retriever"].tolist() == ["none", "none", "bm25", "bm25"]
    assert scores["k"].tolist() == ["0", "0", "max_4K", "max_4K"]
    assert scores["absolute_error"].tolist() == [0, 0, 4, 0]


def test_the_papers_missing_rating_counts_as_zero():
    assert score(completions(["none", "2"]), rule="paper")["absolute_error"].tolist() == [5, 0]


@pytest.mark.parametrize("text", ["99.", "The score is 99.", "3" * 64, "-7", "0", "1e300"])
def test_errors_stay_within_the_scale_unless_the_rule_is_lamps(text):
    golds = QUERIES.assign(golds=[["4"], ["4"]])
    assert score(completions([text, "4"]), queries=golds)["absolute_error"].tolist() == [3, 0]


def test_lamps_rule_takes_any_number():
    assert score(completions(["99.", "2"]), rule="strict")["absolute_error"].tolist() == [94, 0]


def test_the_best_of_several_golds_counts():
    golds = QUERIES.assign(golds=[["1", "4"], ["2", "3"]])
    scores = score(completions(["5", "3"]), queries=golds)
    assert scores["absolute_error"].tolist() == [1, 0]
    assert scores["correct"].tolist() == [0, 1]
    assert scores["golds"].tolist() == [("1", "4"), ("2", "3")]


def test_rows_follow_the_queries():
    scores = score(completions(["2", "5"], ids=("b", "a")))
    assert scores["query_id"].tolist() == ["a", "b"]
    assert scores["correct"].tolist() == [1, 1]


@pytest.mark.parametrize("ids", [("a",), ("a", "c"), ("a", "a")])
def test_other_queries_are_refused(ids):
    with pytest.raises(UserError, match="t/bm25/k1"):
        score(completions(["1"] * len(ids), ids=ids))


def test_columns_that_a_task_lacks_are_nan():
    row = score(completions(["5", "2"]), lamp=5).iloc[0]
    assert row[["rouge1", "rougeL"]].tolist() == [1, 1]
    assert row[["absolute_error", "squared_error", "correct", "gold_label"]].isna().all()


def test_likelihoods_become_scores():
    scored = [{"logprobs": [-float(r), -1.0], "top": [True, True]} for r in range(1, 6)]
    baseline = {"logprobs": [-1.0], "top": [False], "reference": [-0.25]}
    frame = completions(
        ["5", "2"],
        likelihoods=[scored, None],
        baseline_likelihood=[baseline, None],
    )
    scores = score(frame)
    first, second = scores.to_dict("records")
    assert first["logprobs"] == [-2.0, -3.0, -4.0, -5.0, -6.0]
    assert second["logprobs"] is None
    assert (first["gold_logprob"], first["gold_tokens"]) == (-6.0, 2)
    assert first["divergence"] == 0.75
    assert first["same_top"] == 0
    assert math.isnan(second["rps"])
    assert math.isnan(second["divergence"])
    assert 0 < first["rps"] < 1


def test_golds_of_a_text_are_no_allowed_answers():
    scored = [[{"logprobs": [-2.0], "top": [True]}]] * 2
    assert score(completions(["5", "2"], likelihoods=scored), lamp=5)["logprobs"].isna().all()
