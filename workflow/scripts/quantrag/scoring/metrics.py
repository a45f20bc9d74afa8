"""The metrics, each one object: what it is called, what it is per query, how it is aggregated.

Adding a metric is one entry of `METRICS` here and its test: the columns of the per-query scores,
the statistics, the figures, the tables and the report follow from it.

| answers | metrics | per query |
|---|---|---|
| label | accuracy, f1 (macro) | right or not |
| rating from 1 to 5 | mae, rmse | absolute error, squared error |
| short | em, token_f1, contains | right or not, token F1, gold contained in the answer |
| text | rouge1, rougeL (F-measure) | rouge1, rougeL |
| label, rating | log_loss; brier, rps | of the probabilities of all allowed answers |
| text, short | nll | negative log-likelihood of the gold, per token |
| any | divergence, same_top | along the baseline's answer |

On LaMP's tasks they equal LaMP's official evaluation (`eval/evaluation.py`). Macro F1 averages over
all labels of the task, a label that never occurs counting 0, as scikit-learn does with `labels=`
given. One thing in LaMP's evaluation has no fixed value to be equal to: its ROUGE is the *median of
1,000 bootstrap means* (the aggregator of `rouge_score`, unseeded); we report the mean that it
estimates. Exact match and token F1 of short answers are SQuAD's (`quantrag.tasks.tokens`).
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from quantrag.errors import UserError
from quantrag.scoring.likelihoods import (
    Likelihoods,
    brier_score,
    log_loss,
    ranked_probability_score,
)
from quantrag.tasks.answers import (
    ANSWERS,
    LABEL,
    NO_ANSWER,
    RATING,
    SHORT,
    TEXT,
    Prediction,
    rating,
)
from quantrag.tasks.task import Task
from quantrag.tasks.tokens import squad_tokens

#: Column of the per-query scores that every task has, where its answers are right or wrong.
CORRECT = "correct"

Parts = list[np.ndarray]


def value_and_count(columns: Sequence[np.ndarray], include: np.ndarray, task: Task) -> Parts:
    """The parts of a mean: values of the answers that count, and how many count."""
    return [np.where(include, columns[0], 0.0), include]


def mean(sums: np.ndarray) -> np.ndarray:
    """Mean of a column, from its sum and its count."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[:, 0] / sums[:, 1]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric.

    A metric is a function of sums, so that a resample of clusters needs no more than their sums
    (`quantrag.statistics.estimators`): MAE of the sum of absolute errors and the number of answers,
    RMSE of squared errors, macro F1 of true positives, predictions and golds of each label.

    Attributes:
        key: its name in the tables.
        label: its name in print.
        answers: the kinds of answer it is for.
        columns: the columns of the per-query scores that it is made from.
        per_query: the values of these columns for a prediction, given the query's golds and the
            task; with several golds the best one counts. None where every task has the columns.
        unit: unit of a value and of a difference, empty for a share or a score from 0 to 1.
        digits: decimals that a table shows.
        higher_is_better: direction of improvement.
        per_likelihood: as `per_query`, given what was scored in place of a prediction
            (`quantrag.scoring.likelihoods`); NaN where that wasn't scored. A metric of
            likelihoods needs no parsing and has no invalid answers.
        bound: the largest value of its column for one query, the smallest being 0; what the
            statistics say of rare changes rests on it. `inf` where there is none: they then take
            the largest value seen. Without effect on a metric that isn't a mean.
        query_label: what its value for one query is called in print, where that isn't `label`.
        parts: what is summed, arrays (cells, queries), given the columns, each float64 (cells,
            queries), which answers count, bool (cells, queries), and the task.
        aggregate: maps the sums of these parts, float64 (n, parts, cells), to the metric's values,
            (n, cells); NaN where no answer counts.
    """

    key: str
    label: str
    answers: tuple[str, ...]
    columns: tuple[str, ...]
    per_query: Callable[[Prediction, Sequence[str], Task], Sequence[float]] | None = None
    per_likelihood: Callable[[Likelihoods, Sequence[str], Task], Sequence[float]] | None = None
    unit: str = ""
    digits: int = 3
    higher_is_better: bool = True
    bound: float = 1.0
    query_label: str = ""
    parts: Callable[[Sequence[np.ndarray], np.ndarray, Task], Parts] = value_and_count
    aggregate: Callable[[np.ndarray], np.ndarray] = mean

    @property
    def is_mean(self) -> bool:
        """Whether it is the mean of its one column, so that each query has a value of it."""
        return self.aggregate is mean

    @property
    def is_root(self) -> bool:
        """Whether it is the root of the mean of its one column."""
        return self.aggregate is root_mean

    def largest(self, values: np.ndarray) -> np.ndarray:
        """The largest size that a query's value can have: the bound, or what was seen beyond it.

        Beyond it are LaMP's own rule, which takes any number for a rating, metrics without a bound
        and recorded ones, of which the scale isn't known.

        Args:
            values: float64 (n, queries), NaN where a query doesn't count.

        Returns:
            float64 (n,).
        """
        seen = np.max(np.abs(np.nan_to_num(values)), axis=1, initial=0)
        return np.maximum(seen, self.bound if math.isfinite(self.bound) else 1.0)

    def largest_differences(
        self, first: np.ndarray, second: np.ndarray, include: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The largest size that an unseen query's difference is taken to have, and can have.

        An answer changes by anything up to the whole scale, and mostly not at all. A likelihood
        changes a little nearly everywhere: where most queries differ, an unseen one is taken to
        differ by at most twice the largest difference seen. (At once it, coverage falls below 93%
        where differences are skewed: `benchmarks/simulations.py`.) That is no more than usual: a
        rare query may lose far more, so claims in a precision's favour rest on what it can.

        Args:
            first, second: float64 (n, queries).
            include: bool (n, queries), which queries count.

        Returns:
            float64 (n,) each.
        """
        first, second = (np.where(include, values, 0.0) for values in (first, second))
        difference = first - second
        can = np.max([self.largest(v) for v in (first, second, difference)], axis=0)
        if self.per_likelihood is None:
            return can, can
        mostly = np.sum(difference != 0, axis=1) > np.sum(include, axis=1) / 2
        twice = 2 * np.max(np.abs(difference), axis=1, initial=0)
        return np.where(mostly, np.minimum(twice, can), can), can

    @property
    def direction(self) -> str:
        """The direction of improvement in words, with an arrow."""
        return "higher is better ↑" if self.higher_is_better else "lower is better ↓"

    @property
    def axis(self) -> str:
        """Label with its unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def root_mean(sums: np.ndarray) -> np.ndarray:
    """Root of the mean of a column of squares."""
    # Taking one cluster's sum from a total can leave -1e-17 where only it had an error.
    return np.sqrt(np.maximum(mean(sums), 0.0))


def label_counts(columns: Sequence[np.ndarray], include: np.ndarray, task: Task) -> Parts:
    """The parts of macro F1: for each label, true positives, predictions and golds."""
    predicted, golds = columns
    parts = []
    for code in range(len(task.labels)):
        is_predicted, is_gold = include & (predicted == code), include & (golds == code)
        parts += [is_predicted & is_gold, is_predicted, is_gold]
    return parts


def macro_f1(sums: np.ndarray) -> np.ndarray:
    """Mean of the labels' F1, from the counts of `label_counts`."""
    by_label = sums.reshape(len(sums), -1, 3, sums.shape[-1])
    hits, predicted, golds = by_label[:, :, 0], by_label[:, :, 1], by_label[:, :, 2]
    either = predicted + golds
    # A label that is neither predicted nor gold has F1 0, as in scikit-learn.
    scores = np.divide(2 * hits, either, out=np.zeros_like(hits), where=either > 0)
    return np.where(golds.sum(axis=1) > 0, scores.mean(axis=1), np.nan)


def label_codes(prediction: Prediction, golds: Sequence[str], task: Task) -> tuple[int, int]:
    """Numbers of the predicted label and of the gold, -1 for none; the best of several golds."""
    codes = {label: code for code, label in enumerate(task.labels)}
    predicted = codes.get(prediction.text, -1)
    known = [codes.get(gold.strip(), -1) for gold in golds]
    return predicted, predicted if predicted in known else known[0]


def worst_rating(gold: float) -> float:
    """What LaMP takes for a rating it can't read: 1 or 5, whichever is farther from the gold."""
    return 1.0 if abs(1 - gold) > abs(5 - gold) else 5.0


def absolute_error(prediction: Prediction, golds: Sequence[str], task: Task) -> tuple[float]:
    """Absolute error of a rating. Raises UserError for a gold that is not a number."""
    number = rating(prediction.text) if prediction.found else None
    errors = []
    for gold in golds:
        truth = rating(gold)
        if truth is None:
            raise UserError(f"task {task.name}: the gold {gold!r} is not a rating.")
        errors.append(abs((worst_rating(truth) if number is None else number) - truth))
    return (min(errors),)


def squared_error(prediction: Prediction, golds: Sequence[str], task: Task) -> tuple[float]:
    """Square of `absolute_error`."""
    (error,) = absolute_error(prediction, golds, task)
    return (error * error,)


def rouge(prediction: Prediction, golds: Sequence[str], task: Task, *, which: str) -> tuple[float]:
    """F-measure of `which`, "rouge1" or "rougeL"."""
    # Imported here: figures and tables know the metrics too, and rouge_score takes seconds.
    from quantrag.scoring.rouge import rouge_scores

    return (max(rouge_scores(prediction.text, gold)[which] for gold in golds),)


def token_f1(prediction: Prediction, golds: Sequence[str], task: Task) -> tuple[float]:
    """F1 of the answer's words and the gold's, each as often as it occurs (SQuAD).

    As in SQuAD 2.0, where one of the two is `NO_ANSWER` or has no words, it is 1 if both are.
    """
    return (
        max(_token_f1(squad_tokens(prediction.text, gold), squad_tokens(gold)) for gold in golds),
    )


def _token_f1(answer: list[str], gold: list[str]) -> float:
    if not answer or not gold or [NO_ANSWER] in (answer, gold):
        return float(answer == gold)
    same = sum((Counter(answer) & Counter(gold)).values())
    return 2 * same / (len(answer) + len(gold))


def contains_gold(prediction: Prediction, golds: Sequence[str], task: Task) -> tuple[float]:
    """1 where the gold's words stand in the answer, side by side and in their order, else 0."""
    found = [_contains(squad_tokens(prediction.text, gold), squad_tokens(gold)) for gold in golds]
    return (float(any(found)),)


def _contains(answer: list[str], gold: list[str]) -> bool:
    places = range(len(answer) - len(gold) + 1)
    return any(answer[i : i + len(gold)] == gold for i in places) if gold else not answer


def gold_likelihood(
    likelihoods: Likelihoods, golds: Sequence[str], task: Task
) -> tuple[float, float]:
    """Log-probability of the gold (nats) and its tokens; the likeliest token by token of several.

    NaN where it wasn't scored.
    """
    scored = likelihoods.texts
    if task.labels and scored:
        scored = [scored[task.labels.index(gold.strip())] for gold in golds]
    sums = [(float(np.sum(one.logprobs)), len(one.logprobs)) for one in scored]
    return max(sums, key=lambda pair: pair[0] / pair[1], default=(np.nan, np.nan))


def nll(likelihoods: Likelihoods, golds: Sequence[str], task: Task) -> tuple[float]:
    """Negative log-likelihood of the gold, nats per token."""
    total, tokens = gold_likelihood(likelihoods, golds, task)
    return (-total / tokens,)


def closed_score(
    likelihoods: Likelihoods, golds: Sequence[str], task: Task, *, score: Callable
) -> tuple[float]:
    """A score of the probabilities of all allowed answers; the best over several golds."""
    if not likelihoods.texts:
        return (np.nan,)
    logprobs = np.array([[float(np.sum(one.logprobs)) for one in likelihoods.texts]])
    columns = [task.labels.index(gold.strip()) for gold in golds]
    return (min(float(score(logprobs, np.array([column]))[0]) for column in columns),)


def baseline_divergence(likelihoods: Likelihoods, golds: Sequence[str], task: Task) -> tuple[float]:
    """Mean over the tokens of the baseline's answer of log p(baseline) - log p(here), nats."""
    own = likelihoods.baseline
    if own is None or not len(own.reference):
        return (np.nan,)
    return (float(np.mean(np.subtract(own.reference, own.logprobs))),)


def same_top_token(likelihoods: Likelihoods, golds: Sequence[str], task: Task) -> tuple[float]:
    """Share of the tokens of the baseline's answer that are the most likely ones here too."""
    own = likelihoods.baseline
    return (np.nan,) if own is None else (float(np.mean(own.top)),)


_ALL = (
    Metric(
        key="mae",
        label="MAE",
        answers=(RATING,),
        columns=("absolute_error",),
        per_query=absolute_error,
        unit="rating points",
        higher_is_better=False,
        bound=4.0,
        query_label="absolute error",
    ),
    Metric(
        key="rougeL",
        label="ROUGE-L",
        answers=(TEXT,),
        columns=("rougeL",),
        per_query=partial(rouge, which="rougeL"),
    ),
    Metric(
        key="accuracy",
        label="Accuracy",
        answers=(LABEL,),
        columns=(CORRECT,),
        per_query=None,
        query_label="correct",
    ),
    Metric(
        key="rmse",
        label="RMSE",
        answers=(RATING,),
        columns=("squared_error",),
        per_query=squared_error,
        unit="rating points",
        higher_is_better=False,
        bound=16.0,
        query_label="squared error",
        aggregate=root_mean,
    ),
    Metric(
        key="rouge1",
        label="ROUGE-1",
        answers=(TEXT,),
        columns=("rouge1",),
        per_query=partial(rouge, which="rouge1"),
    ),
    Metric(
        key="f1",
        label="Macro F1",
        answers=(LABEL,),
        columns=("predicted_label", "gold_label"),
        per_query=label_codes,
        parts=label_counts,
        aggregate=macro_f1,
    ),
    Metric(
        key="token_f1",
        label="Token F1",
        answers=(SHORT,),
        columns=("token_f1",),
        per_query=token_f1,
    ),
    Metric(
        key="em",
        label="Exact match",
        answers=(SHORT,),
        columns=(CORRECT,),
        query_label="correct",
    ),
    Metric(
        key="contains",
        label="Gold in the answer",
        answers=(SHORT,),
        columns=("contains",),
        per_query=contains_gold,
    ),
    Metric(
        key="nll",
        label="NLL of the gold",
        answers=(TEXT, SHORT),
        columns=("nll",),
        per_likelihood=nll,
        unit="nats per token",
        higher_is_better=False,
        bound=math.inf,
    ),
    Metric(
        key="rps",
        label="Ranked probability score",
        answers=(RATING,),
        columns=("rps",),
        per_likelihood=partial(closed_score, score=ranked_probability_score),
        higher_is_better=False,
    ),
    Metric(
        key="log_loss",
        label="Log loss",
        answers=(RATING, LABEL),
        columns=("log_loss",),
        per_likelihood=partial(closed_score, score=log_loss),
        unit="nats",
        higher_is_better=False,
        bound=math.inf,
    ),
    Metric(
        key="brier",
        label="Brier score",
        answers=(LABEL,),
        columns=("brier",),
        per_likelihood=partial(closed_score, score=brier_score),
        higher_is_better=False,
        bound=2.0,
    ),
    Metric(
        key="divergence",
        label="Divergence from the baseline",
        answers=tuple(ANSWERS),
        columns=("divergence",),
        per_likelihood=baseline_divergence,
        unit="nats per token",
        digits=4,
        higher_is_better=False,
        bound=math.inf,
    ),
    Metric(
        key="same_top",
        label="Same most likely token",
        answers=tuple(ANSWERS),
        columns=("same_top",),
        per_likelihood=same_top_token,
    ),
)
#: All metrics by name. The first one for a kind of answer stands for its tasks in figures and in
#: the report (the paper's: MAE for ratings, ROUGE-L for texts; token F1 for short answers).
METRICS = {metric.key: metric for metric in _ALL}


#: What the key of a recorded metric ends in, by whether more is better.
_ARROWS = {True: "↑", False: "↓"}


def recorded_key(name: str, *, higher_is_better: bool) -> str:
    """The key of a metric that another program computed, "acc↑": no key of `METRICS` looks so.

    It says which way the metric improves, since nothing else here knows.
    """
    return name + _ARROWS[higher_is_better]


def is_recorded(key: str) -> bool:
    """Whether a key, or a column of the per-query scores, is that of a recorded metric."""
    return key.endswith(tuple(_ARROWS.values()))


def metric(key: str) -> Metric:
    """The metric with this name in the tables.

    A recorded one is the mean of its column, which has its key as the name. Raises UserError for an
    unknown one.
    """
    if is_recorded(key):
        return Metric(
            key=key,
            label=key[:-1],
            answers=(),
            columns=(key,),
            bound=math.inf,
            higher_is_better=key.endswith(_ARROWS[True]),
        )
    try:
        return METRICS[key]
    except KeyError:
        raise UserError(f"unknown metric {key!r}. Known: {', '.join(METRICS)}.") from None


def main_metric(keys: Iterable[str]) -> Metric:
    """The metric that stands for a task in the figures.

    The first of `METRICS` among `keys`, or where all are recorded the first of `keys`.
    """
    wanted = {key: metric(key) for key in keys}
    return next((wanted[key] for key in METRICS if key in wanted), next(iter(wanted.values())))


def metrics_for(answer: str) -> list[Metric]:
    """The metrics of a kind of answer, the main one first."""
    return [metric for metric in METRICS.values() if answer in metric.answers]


def score_columns() -> list[str]:
    """The metrics' columns of the per-query scores, beside `CORRECT`."""
    columns = dict.fromkeys(column for metric in METRICS.values() for column in metric.columns)
    return [column for column in columns if column != CORRECT]
