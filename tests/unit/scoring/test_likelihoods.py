"""Proper scores of probabilities, against hand-computed and peer values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as peer_log_loss

from quantrag.scoring.likelihoods import (
    brier_score,
    divergence,
    log_loss,
    normalized,
    ranked_probability_score,
)

SCORES = (log_loss, brier_score, ranked_probability_score)
RATINGS = np.log([[0.1, 0.2, 0.3, 0.2, 0.2]])


def test_hand_computed():
    gold = np.array([3])
    assert log_loss(RATINGS, gold) == pytest.approx(-np.log(0.2))
    assert brier_score(RATINGS, gold) == pytest.approx(0.01 + 0.04 + 0.09 + 0.64 + 0.04)
    # Cumulative 0.1, 0.3, 0.6, 0.8 against 0, 0, 0, 1.
    expected = (0.01 + 0.09 + 0.36 + 0.04) / 4
    assert ranked_probability_score(RATINGS, gold) == pytest.approx(expected)


def test_a_near_miss_costs_less_than_a_far_one_only_where_answers_have_an_order():
    near, far = np.log([[0.01, 0.01, 0.01, 0.96, 0.01]]), np.log([[0.96, 0.01, 0.01, 0.01, 0.01]])
    gold = np.array([4])
    assert ranked_probability_score(near, gold) < ranked_probability_score(far, gold)
    assert log_loss(near, gold) == log_loss(far, gold)


weights = st.lists(st.floats(-30, 0), min_size=3, max_size=3)


@given(st.lists(weights, min_size=2, max_size=6), st.floats(-50, 50))
def test_what_other_texts_get_does_not_count(rows, shift):
    logprobs = np.array(rows)
    gold = np.arange(len(rows)) % 3
    np.testing.assert_allclose(np.exp(normalized(logprobs)).sum(axis=1), 1)
    for score in SCORES:
        np.testing.assert_allclose(score(logprobs + shift, gold), score(logprobs, gold), atol=1e-9)
        assert np.all(score(logprobs, gold) >= 0)
    assert np.all(ranked_probability_score(logprobs, gold) <= 1)


@given(st.lists(st.lists(st.floats(-5, 0), min_size=3, max_size=3), min_size=3, max_size=8))
def test_peers(rows):
    logprobs = np.array(rows)
    gold = np.arange(len(rows)) % 3
    p = np.exp(normalized(logprobs))
    labels = [0, 1, 2]
    assert log_loss(logprobs, gold).mean() == pytest.approx(peer_log_loss(gold, p, labels=labels))
    peer = brier_score_loss(gold, p, labels=labels, scale_by_half=False)
    assert brier_score(logprobs, gold).mean() == pytest.approx(peer)
    other = np.roll(logprobs, 1, axis=0)
    expected = entropy(p, np.exp(normalized(other)), axis=1)
    np.testing.assert_allclose(divergence(logprobs, other), expected, atol=1e-12)


@given(st.integers(0, 4), st.lists(st.floats(0.01, 1), min_size=5, max_size=5))
def test_the_true_distribution_scores_best_on_average(shift, raw):
    truth = np.array(raw) / np.sum(raw)
    belief = np.roll(truth, shift)
    golds = np.arange(5)
    for score in SCORES:
        honest = truth @ score(np.log(np.tile(truth, (5, 1))), golds)
        assert honest <= truth @ score(np.log(np.tile(belief, (5, 1))), golds) + 1e-12


def test_what_was_not_measured_stays_unknown():
    logprobs = np.array([[0.0, np.nan, -1.0], [-1.0, -1.0, -1.0]])
    for score in SCORES:
        found = score(logprobs, np.array([0, 0]))
        assert np.isnan(found[0])
        assert np.isfinite(found[1])
