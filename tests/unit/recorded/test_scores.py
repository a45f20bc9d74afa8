"""Recorded answers as tables of scores."""

import numpy as np
import pandas as pd
import pytest

from quantrag.errors import UserError
from quantrag.names import NOISE_FLOOR
from quantrag.recorded.record import Record
from quantrag.recorded.scores import System, score_recorded
from quantrag.statistics.comparisons import compare
from quantrag.statistics.score_arrays import score_arrays_of
from quantrag.tasks.registry import load

SCORES = load("t", {"kind": "recorded", "answer": "score"})
LABELS = load("t", {"kind": "recorded", "answer": "label", "labels": ["yes", "no"]})
RATINGS = load("t", {"kind": "recorded", "answer": "rating"})


def system(precision, k="0"):
    return System("m", precision, "none" if k == "0" else "bm25", k)


def said(*texts, repetition="", gold="yes", **facts):
    return [
        Record(f"i{n}", f"f, {n}", text, (gold,), repetition=repetition, **facts)
        for n, text in enumerate(texts)
    ]


def scored(*values, key="acc↑", repetition=""):
    return [
        Record(f"i{n}", f"f, {n}", scores={key: value}, repetition=repetition)
        for n, value in enumerate(values)
    ]


def compared(tables, task, **settings):
    [grid] = score_arrays_of([tables.scores], [task])
    defaults = {"policy": "worst_case", "confidence": 0.95, "margin": 0.02, "power": 0.8}
    return compare(grid, baseline="fp16", permutations=1000, seed=0, **(defaults | settings))


def test_texts_are_parsed_by_the_tasks_rule():
    systems = {
        system("fp16"): [said("Yes.", "no", "perhaps")],
        system("int4"): [said("yes", "It is yes", "no")],
    }
    tables = score_recorded(LABELS, systems, rule="lenient", baseline="fp16")
    by_precision = tables.scores.groupby("precision", sort=False)
    assert by_precision["prediction"].apply(list).to_dict() == {
        "fp16": ["yes", "no", "perhaps"],
        "int4": ["yes", "yes", "no"],
    }
    assert by_precision["valid"].apply(list)["fp16"] == [True, True, False]
    assert tables.answers["text"].tolist()[:2] == ["Yes.", "no"]


def test_short_answers_are_scored_as_squad_does():
    task = load("t", {"kind": "recorded", "answer": "short"})
    answers = said("The answer is Lake Como.", "Como", "I don't know", gold="Lake Como")
    tables = score_recorded(task, {system("fp16"): [answers]}, rule="lenient", baseline="fp16")
    assert tables.scores["prediction"].tolist() == ["Lake Como", "Como", "unanswerable"]
    assert tables.scores["correct"].tolist() == [1, 0, 0]
    assert tables.scores["token_f1"].tolist() == pytest.approx([1, 2 / 3, 0])


def test_scores_are_metrics_of_their_own():
    systems = {
        system("fp16"): [scored(1.0, 1.0, 0.0, 1.0)],
        system("int4"): [scored(1.0, 0.0, 1.0, 1.0)],
    }
    [row] = compared(
        score_recorded(SCORES, systems, rule="lenient", baseline="fp16"), SCORES
    ).to_dict("records")
    assert row["metric"] == "acc↑"
    assert (row["baseline_value"], row["difference"]) == (0.75, 0.0)
    # Without texts an answer changes where its scores do; a score of 0 or 1 says right or wrong.
    assert (row["flip_rate"], row["right_to_wrong"], row["wrong_to_right"]) == (0.5, 0.25, 0.25)


def test_less_is_better_where_the_key_says_so():
    systems = {
        system("fp16"): [scored(*np.full(200, 1.0), key="loss↓")],
        system("int4"): [scored(*np.full(200, 3.0), key="loss↓")],
    }
    tables = score_recorded(SCORES, systems, rule="lenient", baseline="fp16")
    [row] = compared(tables, SCORES).to_dict("records")
    assert row["verdict"] == "worse"
    assert np.isnan(row["right_to_wrong"])


def test_repetitions_are_averaged_and_the_baselines_second_is_the_noise_floor():
    def twice(first, second):
        return [[*scored(*first, repetition="1"), *scored(*second, repetition="2")]]

    systems = {
        system("fp16"): twice((1.0, 0.0, 1.0, 0.0), (1.0, 0.0, 0.0, 0.0)),
        system("int4"): twice((1.0, 0.0, 1.0, 0.0), (0.0, 0.0, 1.0, 0.0)),
    }
    tables = score_recorded(SCORES, systems, rule="lenient", baseline="fp16")
    values = tables.scores.groupby("precision", sort=False)["acc↑"].apply(list).to_dict()
    assert values == {
        "fp16": [1.0, 0.0, 1.0, 0.0],
        "int4": [0.5, 0.0, 1.0, 0.0],
        NOISE_FLOOR: [1.0, 0.0, 0.0, 0.0],
    }
    [row] = compared(tables, SCORES).to_dict("records")
    assert row["precision_value"] == 0.375
    # Flips are those of the first repetitions.
    assert (row["flip_rate"], row["noise_flip_rate"]) == (0.0, 0.25)
    assert (row["right_to_wrong"], row["noise_right_to_wrong"]) == (0.0, 0.25)


def test_a_recorded_noise_floor_leaves_the_baseline_as_it_is():
    systems = {
        system("fp16"): [scored(1.0, 0.0), scored(0.0, 0.0)],
        system(NOISE_FLOOR): [scored(1.0, 1.0)],
        system("int4"): [scored(1.0, 0.0)],
    }
    tables = score_recorded(SCORES, systems, rule="lenient", baseline="fp16")
    assert tables.scores.loc[tables.scores["precision"] == "fp16", "acc↑"].tolist() == [0.5, 0.0]
    assert set(tables.scores["precision"]) == {"fp16", NOISE_FLOOR, "int4"}


def test_repeated_texts_are_scored_one_by_one():
    systems = {
        system("fp16"): [said("4", "2", gold="5")],
        system("int4"): [said("5", "2", gold="5"), said("3", "none", gold="5")],
    }
    tables = score_recorded(RATINGS, systems, rule="lenient", baseline="fp16")
    own = tables.scores[tables.scores["precision"] == "int4"]
    assert own["absolute_error"].tolist() == [1.0, 3.5]
    assert own["valid"].tolist() == [True, False]
    assert own["prediction"].tolist() == ["5", "2"]
    assert own["right"].tolist() == [1.0, 0.0]
    assert own["correct"].tolist() == [0.5, 0.0]


def test_a_cluster_may_be_recorded():
    records = [said("yes", "no", cluster="u")]
    tables = score_recorded(LABELS, {system("fp16"): records}, rule="lenient", baseline="fp16")
    assert tables.scores["cluster_id"].tolist() == ["u", "u"]


def test_answers_to_known_queries_follow_them():
    queries = pd.DataFrame(
        {"query_id": ["i1", "i2", "i0"], "cluster_id": ["u", "v", "w"], "input": "?"}
    ).assign(golds=[["5"], ["5"], ["1"]])
    systems = {system("fp16"): [[Record(f"i{n}", "f", text=str(n + 1)) for n in (0, 1)]]}
    tables = score_recorded(RATINGS, systems, rule="strict", baseline="fp16", queries=queries)
    assert tables.scores["query_id"].tolist() == ["i1", "i0"]
    assert tables.scores["absolute_error"].tolist() == [3.0, 0.0]
    assert tables.answers["text"].tolist() == ["2", "1"]
    systems = {system("fp16"): [[Record(f"i{n}", "f", text="1") for n in (0, 8, 9)]]}
    with pytest.raises(UserError, match="t: 2 answers to unknown queries \\('i8', 'i9'\\)"):
        score_recorded(RATINGS, systems, rule="strict", baseline="fp16", queries=queries)


@pytest.mark.parametrize(
    ("task", "records", "message"),
    [
        (LABELS, [Record("a", "f, 1", text="yes")], "the item 'a' has no gold"),
        (LABELS, [Record("a", "f, 1", golds=("yes",))], "f, 1: no answer that the task t could"),
        (SCORES, [Record("a", "f, 1", text="yes")], "t: no score that every system has"),
    ],
)
def test_what_is_missing_is_named(task, records, message):
    with pytest.raises(UserError, match=message):
        score_recorded(task, {system("fp16"): [records]}, rule="lenient", baseline="fp16")
