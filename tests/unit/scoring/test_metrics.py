"""Per-query scores against LaMP's evaluation, written here from its libraries, and SQuAD's."""

import itertools
import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.scoring import BootstrapAggregator
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, mean_squared_error

from lamp_tasks import lamp_task
from quantrag.errors import UserError
from quantrag.grid import K_ZERO, Cell
from quantrag.scoring.likelihoods import Likelihoods, TokenLogprobs
from quantrag.scoring.metrics import (
    CORRECT,
    METRICS,
    gold_likelihood,
    main_metric,
    metric,
    metrics_for,
    score_columns,
    worst_rating,
)
from quantrag.scoring.rouge import rouge_scores
from quantrag.scoring.score import score_task
from quantrag.statistics.estimators import point, scores_estimator
from quantrag.statistics.score_arrays import score_arrays_of
from quantrag.tasks.answers import ANSWERS, NO_ANSWER, SHORT, Prediction
from question_tasks import question_task


def lamp_ratings(predictions, golds):
    """LaMP's rule for ratings: float, or the farther of 1 and 5."""

    def number(text, gold):
        try:
            return float(text)
        except ValueError:
            return 1.0 if abs(1 - float(gold)) > abs(5 - float(gold)) else 5.0

    stripped = [text.strip() for text in predictions]
    return [number(t, g) for t, g in zip(stripped, golds, strict=True)], [float(g) for g in golds]


def lamp_labels(predictions, golds, labels):
    codes = [
        [labels.index(t) if t in labels else -1 for t in side] for side in (predictions, golds)
    ]
    return (
        accuracy_score(codes[1], codes[0]),
        f1_score(codes[1], codes[0], labels=range(len(labels)), average="macro", zero_division=0),
    )


def metrics_of(texts, golds, lamp, rule="strict"):
    return metrics_of_task(texts, [[gold] for gold in golds], lamp_task(lamp), rule)


def metrics_of_task(texts, golds, task, rule="strict"):
    """Through the whole of our code: completions to aggregated metrics."""
    ids = [str(i) for i in range(len(texts))]
    queries = pd.DataFrame({"query_id": ids, "cluster_id": ids, "golds": golds})
    frame = pd.DataFrame({"query_id": ids, "text": texts, "prompt_tokens": 10})
    scores = score_task([frame], [Cell("t", "none", K_ZERO)], queries, task=task, rule=rule)
    scores = scores.assign(model="m", precision="p")
    (grid,) = score_arrays_of([scores], [task])
    rows = np.array([0])
    return {m.key: float(point(scores_estimator(grid, m, rows))[0]) for m in grid.metrics}


RATING_TEXTS = ["1", "2", "3", "4", "5", " 4 ", "4.5", "10", "-1", "five", "", "4 stars", "1e0"]


@given(
    st.lists(
        st.tuples(st.sampled_from(RATING_TEXTS), st.sampled_from("12345")), min_size=1, max_size=40
    )
)
@settings(deadline=None)
def test_ratings_equal_lamps_evaluation(pairs):
    texts, golds = zip(*pairs, strict=True)
    numbers, truth = lamp_ratings(texts, golds)
    ours = metrics_of(texts, golds, 3)
    assert ours["mae"] == pytest.approx(mean_absolute_error(truth, numbers), abs=1e-12)
    assert ours["rmse"] == pytest.approx(mean_squared_error(truth, numbers) ** 0.5, abs=1e-12)


@pytest.mark.parametrize("lamp", [1, 2])
def test_labels_equal_lamps_evaluation(lamp):
    labels = lamp_task(lamp).labels
    rng = np.random.default_rng(lamp)
    golds = rng.choice(labels[: max(2, len(labels) - 2)], 300)  # two labels never occur
    texts = np.where(rng.random(300) < 0.6, golds, rng.choice([*labels, "other", ""], 300))
    ours = metrics_of(texts.tolist(), golds.tolist(), lamp)
    accuracy, f1 = lamp_labels(texts.tolist(), golds.tolist(), list(labels))
    assert ours == pytest.approx({"accuracy": accuracy, "f1": f1}, abs=1e-12)


@pytest.mark.parametrize("lamp", [4, 5, 7])
def test_texts_are_scored_as_they_are_under_strict(lamp):
    texts, golds = ["A study of cats", "nothing", ""], ["a Study of dogs", "x", "y"]
    scorer = RougeScorer(["rouge1", "rougeL"])
    expected = [scorer.score(g, t)["rouge1"].fmeasure for g, t in zip(golds, texts, strict=True)]
    assert metrics_of(texts, golds, lamp)["rouge1"] == pytest.approx(np.mean(expected), abs=1e-12)


def test_lamps_rouge_is_a_bootstrap_median_of_our_mean():
    rng = np.random.default_rng(0)
    words = np.array(["a", "b", "c", "d", "e", "f"])
    texts, golds = ([" ".join(rng.choice(words, 6)) for _ in range(300)] for _ in range(2))
    scorer, aggregator = RougeScorer(["rougeL"]), BootstrapAggregator()
    for text, gold in zip(texts, golds, strict=True):
        aggregator.add_scores(scorer.score(gold, text))
    scores = np.array(
        [rouge_scores(text, gold)["rougeL"] for text, gold in zip(texts, golds, strict=True)]
    )
    official = aggregator.aggregate()["rougeL"].mid.fmeasure
    # Standard error of a median of 1,000 draws from the mean's own distribution.
    error = 1.2533 * scores.std() / np.sqrt(300 * 1000)
    assert abs(metrics_of(texts, golds, 5)["rougeL"] - official) < 5 * error


def test_the_worst_rating_is_the_farther_end():
    assert [worst_rating(gold) for gold in (1, 2, 3, 4, 5)] == [5, 5, 5, 1, 1]


def squad_words(text):
    """Words of SQuAD's evaluation: lower case, no punctuation, no articles, single spaces."""
    kept = "".join(c for c in text.lower() if c not in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
    return [word for word in re.split(r"\s+", re.sub(r"\b(a|an|the)\b", " ", kept)) if word]


def squad(answer, golds, version):
    """(exact match, F1) of SQuAD's evaluation, after its description.

    1.1: precision and recall of the words that both have; no common word is 0. 2.0: where the
    answer or the gold is empty, both are 1 if both are empty, else 0.
    """
    best = [0.0, 0.0]
    for gold in golds:
        ours, theirs = squad_words(answer), squad_words(gold)
        common = sum(min(n, theirs.count(word)) for word, n in Counter(ours).items())
        if version == "2.0" and not (ours and theirs):
            f1 = float(ours == theirs)
        elif common == 0:
            f1 = 0.0
        else:
            precision, recall = common / len(ours), common / len(theirs)
            f1 = 2 * precision * recall / (precision + recall)
        best = [max(best[0], float(ours == theirs)), max(best[1], f1)]
    return best


WORDS = ["the", "The", "a", "U.S.", "army", "Army,", "(army)", "1066", "in", "it's", "–", "é", "%"]
PHRASES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)


# Golds without a word ("the", "%") are left out by SQuAD.
GOLDS = st.lists(PHRASES.filter(squad_words), min_size=1, max_size=3)


@given(st.lists(st.tuples(PHRASES, GOLDS), min_size=1))
@settings(deadline=None)
def test_short_answers_equal_squads_evaluation(pairs):
    texts, golds = map(list, zip(*pairs, strict=True))
    ours = metrics_of_task(texts, golds, question_task(SHORT))
    for version in ("1.1", "2.0"):
        # The versions differ in answers without a word ("the", "%").
        if version == "2.0" or all(map(squad_words, [*texts, *itertools.chain(*golds)])):
            em, f1 = np.mean([squad(*pair, version) for pair in pairs], axis=0)
            assert (ours["em"], ours["token_f1"]) == pytest.approx((em, f1), abs=1e-12)


# A text with words, or none: what SQuAD 2.0 has for a question without an answer.
ANSWERED_OR_NOT = PHRASES.filter(squad_words) | st.just("")


@given(st.lists(st.tuples(ANSWERED_OR_NOT, ANSWERED_OR_NOT), min_size=1))
@settings(deadline=None)
def test_no_answer_counts_as_squad_2_counts_an_empty_one(pairs):
    ours = metrics_of_task(
        [text or NO_ANSWER for text, _ in pairs],
        [[gold or NO_ANSWER] for _, gold in pairs],
        question_task(SHORT),
    )
    em, f1 = np.mean([squad(text, [gold], "2.0") for text, gold in pairs], axis=0)
    assert (ours["em"], ours["token_f1"]) == pytest.approx((em, f1), abs=1e-12)


@pytest.mark.parametrize(
    ("text", "golds", "f1", "contains"),
    [
        ("in the city of Paris", ["Paris"], 0.4, 1),
        ("Paris", ["the city of Paris"], 0.5, 0),
        ("New York, New Jersey", ["New York New"], 6 / 7, 1),
        ("York New", ["New York"], 1, 0),
        ("Parisian", ["Paris"], 0, 0),
        ("it is the unanswerable question", [NO_ANSWER], 0, 1),
        ("北京市", ["北京"], 0.8, 1),
        ("北京", ["the 北 京"], 1, 1),
        ("京北", ["北京"], 1, 0),
        ("1998", ["1998年"], 2 / 3, 0),
        ("1998年", ["1998"], 0, 0),
        ("", ["Paris"], 0, 0),
        ("", ["A"], 0, 0),
        ("B", ["A"], 0, 0),
        ("a", ["A"], 1, 1),
        ("+", ["-"], 0, 0),
    ],
)
def test_short_answers_by_hand(text, golds, f1, contains):
    task, prediction = question_task(SHORT), Prediction(text, bool(text))
    assert metric("token_f1").per_query(prediction, golds, task) == pytest.approx([f1])
    assert metric("contains").per_query(prediction, golds, task) == (contains,)


#: A task of each kind of answer, and answers to it.
KIND_TASKS = {
    "rating": (lamp_task(3), ["1", "2", "5", "x"]),
    "text": (lamp_task(5), ["a b", "b c d", "e", ""]),
    "label": (lamp_task(1), ["[1]", "[2]", "x"]),
    "short": (question_task(SHORT), ["b", "b c d", "e", ""]),
}


def of_query(key, text, golds, lamp):
    """What the columns of a metric hold for one answer."""
    task = lamp_task(lamp, "reviews")
    return tuple(metric(key).per_query(task.parse(text, "strict"), golds, task))


def test_a_gold_that_is_no_rating_is_the_users_mistake():
    with pytest.raises(UserError, match=r"reviews.*'good' is not a rating"):
        of_query("mae", "4", ["good"], 3)


@pytest.mark.parametrize(
    ("key", "text", "golds", "lamp", "values"),
    [
        ("mae", "2", ["5", "3"], 3, (1,)),
        ("rmse", "2", ["5", "4"], 3, (4,)),
        ("mae", "none", ["1", "3"], 3, (2,)),
        ("rouge1", "a b", ["c", "a b", "a"], 5, (1,)),
        ("f1", "[2]", ["[1]", "[2]"], 1, (1, 1)),
        ("f1", "[3]", ["[2]", "[1]"], 1, (-1, 1)),
    ],
)
def test_of_several_golds_the_best_counts(key, text, golds, lamp, values):
    assert of_query(key, text, golds, lamp) == values


@pytest.mark.parametrize("key", METRICS)
def test_a_metric_of_one_gold_is_never_better_than_with_another_one_added(key):
    own, rng = METRICS[key], np.random.default_rng(0)
    task, choices = KIND_TASKS[own.answers[0]]
    for text, gold, other in rng.choice(choices, (50, 3)):
        if own.is_mean and own.per_query is not None and gold not in ("x", "") and other != "x":
            prediction = task.parse(text, "strict")
            one = own.per_query(prediction, [gold], task)
            two = own.per_query(prediction, [gold, other], task)
            assert (two >= one) if own.higher_is_better else (two <= one)


def test_every_kind_of_answer_has_a_main_metric_that_is_a_mean():
    for answer in ANSWERS:
        metrics = metrics_for(answer)
        assert metrics[0].is_mean
        assert main_metric(sorted(own.key for own in metrics)) is metrics[0]
    assert [metrics_for(answer)[0].key for answer in ("rating", "text", "label", "short")] == [
        *["mae", "rougeL", "accuracy", "token_f1"]
    ]


def test_columns_are_not_shared_by_accident():
    columns = [column for own in METRICS.values() for column in own.columns if column != CORRECT]
    assert len(set(columns)) == len(columns)
    assert score_columns() == columns


def test_directions():
    lower = {key for key, own in METRICS.items() if not own.higher_is_better}
    assert lower == {"mae", "rmse", "nll", "rps", "log_loss", "brier", "divergence"}
    assert metric("mae").axis == "MAE (rating points)"
    assert metric("f1").direction == "higher is better ↑"


def of_likelihood(key, likelihoods, golds, lamp):
    return METRICS[key].per_likelihood(likelihoods, golds, lamp_task(lamp))


def test_likelihoods_of_a_text():
    texts = [
        TokenLogprobs([-1.0, -3.0], [True, False]),
        TokenLogprobs([-0.5, -0.5, -2.0], [True] * 3),
    ]
    own = Likelihoods(texts, TokenLogprobs([-1.0, -2.0], [True, False], [-0.5, -0.5]))
    # Per token, of several golds the likeliest: 3 nats over 3 tokens, not 4 over 2.
    assert of_likelihood("nll", own, ["two", "three"], 5) == pytest.approx([1.0])
    assert gold_likelihood(own, ["two", "three"], lamp_task(5)) == pytest.approx((-3.0, 3))
    assert of_likelihood("divergence", own, ["two", "three"], 5) == pytest.approx([1.0])
    assert of_likelihood("same_top", own, ["two", "three"], 5) == pytest.approx([0.5])


def test_likelihoods_of_a_closed_set_are_those_of_the_gold_label():
    p = np.array([0.1, 0.2, 0.3, 0.2, 0.2])
    own = Likelihoods([TokenLogprobs([np.log(x) - 7], [True]) for x in p])
    assert of_likelihood("log_loss", own, ["3"], 3) == pytest.approx([-np.log(0.3)])
    assert of_likelihood("rps", own, ["4"], 3) == pytest.approx([(0.01 + 0.09 + 0.36 + 0.04) / 4])
    # The best of several golds, and a label of several tokens is their sum.
    assert of_likelihood("log_loss", own, ["1", "3"], 3) == pytest.approx([-np.log(0.3)])
    two = Likelihoods([TokenLogprobs([-1.0, -1.0], [True] * 2), TokenLogprobs([-2.0], [True])])
    assert of_likelihood("log_loss", two, ["[1]"], 1) == pytest.approx([np.log(2)])
    assert of_likelihood("brier", two, ["[2]"], 1) == pytest.approx([0.5])


def test_what_was_not_scored_is_unknown():
    for own in METRICS.values():
        if own.per_likelihood is not None:
            task, _ = KIND_TASKS[own.answers[0]]
            (value,) = own.per_likelihood(Likelihoods(), ["1"], task)
            assert np.isnan(value)


def test_unknown_metrics_are_named():
    with pytest.raises(UserError, match=r"'bleu'.*mae"):
        metric("bleu")


def test_an_unseen_likelihood_differs_by_no_more_than_twice_what_was_seen():
    first, second = np.array([[5.1, 4.0, 6.2]]), np.array([[5.0, 4.3, 6.0]])
    every = np.ones((1, 3), dtype=bool)

    def largest(key, first, second, include=every):
        return METRICS[key].largest_differences(first, second, include)

    assert largest("nll", first, second) == (pytest.approx([0.6]), pytest.approx([6.2]))
    # An error of ratings may change by the whole scale, and so may a likelihood that rarely moves.
    assert largest("mae", first % 1, second % 1) == (pytest.approx([4]), pytest.approx([4]))
    # No more than a score's own bound.
    apart = np.array([[0.0, 0.1, 0.9]]), np.array([[0.9, 0.0, 0.0]])
    assert largest("rps", *apart) == (pytest.approx([1]), pytest.approx([1]))
    second[0, :2] = first[0, :2]
    assert largest("nll", first, second) == (pytest.approx([6.2]), pytest.approx([6.2]))
    # What doesn't count is no query without a difference.
    counted = np.array([[False, False, True]])
    assert largest("nll", first, second, counted) == (pytest.approx([0.4]), pytest.approx([6.2]))
