"""Scores from how likely answers are, not from what was answered: no parsing, no invalid answers.

Of a closed set of answers (ratings, labels) the probabilities are normalized over the set, so that
what the model gives to anything else doesn't count. Nats throughout.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class TokenLogprobs(NamedTuple):
    """A text's tokens under a model.

    Attributes:
        logprobs: of each token, natural logarithm.
        top: of each token, whether no other is more likely at its position.
        reference: of the baseline's answer, its log-probabilities under the baseline itself.
    """

    logprobs: Sequence[float]
    top: Sequence[bool]
    reference: Sequence[float] = ()


class Likelihoods(NamedTuple):
    """What was scored after one query's prompt.

    Attributes:
        texts: the allowed answers in the order of the task's labels, where they are a fixed set;
            otherwise the query's golds. Empty where they weren't scored.
        baseline: the baseline's answer; None where it wasn't scored.
    """

    texts: Sequence[TokenLogprobs] = ()
    baseline: TokenLogprobs | None = None


def normalized(logprobs: np.ndarray) -> np.ndarray:
    """Log-probabilities normalized over the allowed answers.

    Args:
        logprobs: float64 (n, answers), log-probability of each answer's whole text; NaN where it
            wasn't measured.

    Returns:
        float64 (n, answers), whose exponentials sum to 1 in each row; a row with NaN is all NaN.
    """
    with np.errstate(invalid="ignore"):
        return logprobs - np.logaddexp.reduce(logprobs, axis=1, keepdims=True)


def log_loss(logprobs: np.ndarray, gold: np.ndarray) -> np.ndarray:
    """-ln p(gold) among the allowed answers (Good 1952), float64 (n,); 0 is best.

    Args:
        logprobs: as for `normalized`.
        gold: int (n,), the column of the gold answer.
    """
    return -normalized(logprobs)[np.arange(len(gold)), gold]


def brier_score(logprobs: np.ndarray, gold: np.ndarray) -> np.ndarray:
    """Squared distance of the probabilities from the gold (Brier 1950), from 0 (best) to 2.

    Args:
        logprobs: as for `normalized`.
        gold: int (n,), the column of the gold answer.

    Returns:
        float64 (n,).
    """
    return np.sum((np.exp(normalized(logprobs)) - _one_hot(logprobs, gold)) ** 2, axis=1)


def ranked_probability_score(logprobs: np.ndarray, gold: np.ndarray) -> np.ndarray:
    """Squared distance of the cumulative probabilities from the gold's (Epstein 1969).

    For answers in an order, such as ratings: probability close to the gold costs less than
    probability far from it. Divided by the number of steps between the answers, so that it lies
    from 0 (best) to 1 whatever the scale.

    Args:
        logprobs: as for `normalized`, answers in their order.
        gold: int (n,), the column of the gold answer.

    Returns:
        float64 (n,).
    """
    steps = np.cumsum(np.exp(normalized(logprobs)) - _one_hot(logprobs, gold), axis=1)[:, :-1]
    return np.mean(steps**2, axis=1)


def divergence(baseline: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Kullback-Leibler divergence KL(baseline || other) over the allowed answers, float64 (n,).

    Args:
        baseline, other: as for `normalized`.
    """
    p, q = normalized(baseline), normalized(other)
    return np.sum(np.exp(p) * (p - q), axis=1)


def _one_hot(logprobs: np.ndarray, gold: np.ndarray) -> np.ndarray:
    return (np.arange(logprobs.shape[1]) == np.asarray(gold)[:, None]).astype(np.float64)
