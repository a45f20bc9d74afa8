"""LaMP's metrics, per query, equal to LaMP's official evaluation (`eval/evaluation.py`).

| tasks | answer | metrics | per query |
|---|---|---|---|
| LaMP-1, 2 | one of a fixed set of labels | accuracy, f1 (macro) | correct |
| LaMP-3 | rating from 1 to 5 | mae, rmse | absolute_error, squared_error |
| LaMP-4, 5, 6, 7 | short text | rouge1, rougeL (F-measure) | rouge1, rougeL |

Macro F1 averages over all labels of the task, a label that never occurs counting 0, as scikit-learn
does with `labels=` given. One thing in LaMP's evaluation has no fixed value to be equal to: its
ROUGE is the *median of 1,000 bootstrap means* (the aggregator of `rouge_score`, unseeded); we
report the mean that it estimates.
"""

from collections.abc import Sequence

import numpy as np

from quantrag.errors import UserError

LABEL, RATING, TEXT = "label", "rating", "text"
METRICS = {LABEL: ("accuracy", "f1"), RATING: ("mae", "rmse"), TEXT: ("rouge1", "rougeL")}
LOWER_IS_BETTER = frozenset({"mae", "rmse"})
QUERY_METRICS = ("absolute_error", "squared_error", "correct", "rouge1", "rougeL")

RATINGS = ("1", "2", "3", "4", "5")
# Columns of the scores: log-probability that the answer starts with the rating.
LOGPROBS = tuple(f"logprob_{value}" for value in RATINGS)

LABELS = {
    1: ("[1]", "[2]"),
    2: (
        "sci-fi",
        "based on a book",
        "comedy",
        "action",
        "twist ending",
        "dystopia",
        "dark comedy",
        "classic",
        "psychology",
        "fantasy",
        "romance",
        "thought-provoking",
        "social commentary",
        "violence",
        "true story",
    ),
}


def kind_of(lamp: int) -> str:
    """What a LaMP task asks for: `label`, `rating` or `text`."""
    return LABEL if lamp in LABELS else RATING if lamp == 3 else TEXT


def labels_of(lamp: int) -> tuple[str, ...]:
    """The fixed label set of LaMP-1 (references) or LaMP-2 (movie tags)."""
    return LABELS[lamp]


def worst_rating(gold: float) -> float:
    """What LaMP takes for a rating it can't read: 1 or 5, whichever is farther from the gold."""
    return 1.0 if abs(1 - gold) > abs(5 - gold) else 5.0


def rating_errors(
    ratings: Sequence[float | None], golds: Sequence[str], task: str = "LaMP-3"
) -> np.ndarray:
    """Absolute errors of ratings.

    Args:
        ratings: the numbers that were read from the predictions, None where there was none.
        golds: the gold ratings.
        task: name for the error message.

    Returns:
        float64 (n,).

    Raises:
        UserError: a gold is no number.
    """
    try:
        truth = [float(gold) for gold in golds]
    except ValueError as error:
        raise UserError(f"task {task}: a gold is no rating ({error}).") from None
    numbers = [
        worst_rating(gold) if number is None else number
        for number, gold in zip(ratings, truth, strict=True)
    ]
    return np.abs(np.asarray(numbers, dtype=np.float64) - np.asarray(truth, dtype=np.float64))
