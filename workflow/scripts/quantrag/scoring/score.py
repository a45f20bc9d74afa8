"""Completions to per-query scores: parse each answer once, score each (gold, answer) once."""

import logging
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from quantrag.errors import UserError
from quantrag.grid import Cell
from quantrag.scoring.metrics import (
    LOGPROBS,
    QUERY_METRICS,
    RATING,
    RATINGS,
    TEXT,
    kind_of,
    rating_errors,
)
from quantrag.scoring.parsing import Prediction, parse, rating
from quantrag.scoring.rouge import rouge

log = logging.getLogger(__name__)

INVALID = "(invalid)"


def score_task(
    completions: Sequence[pd.DataFrame],
    cells: Sequence[Cell],
    queries: pd.DataFrame,
    *,
    task: str,
    lamp: int,
    rule: str,
) -> pd.DataFrame:
    """Score all completions of one task by one checkpoint.

    Args:
        completions: per cell a frame with query_id, text, prompt_tokens and, where it exists,
            first_token_logprobs.
        cells: of each of them; their task is `task`.
        queries: query_id, user_id, gold.
        task: name of the task.
        lamp: number of the LaMP task.
        rule: the parsing rule.

    Returns:
        One row per cell and query, cells in the given order and queries in theirs: task,
        retriever, k, query_id, user_id, prediction, gold, valid, n_tokens (int32, of the prompt),
        flip_key, the per-query metrics (float64, NaN where not of the task) and logprob_1 ..
        logprob_5 (float64: log-probability that the answer starts with that rating, NaN where
        unknown).

    Raises:
        UserError: a cell's completions aren't those of the task's queries.
    """
    parsed: dict[str, Prediction] = {}
    parts = []
    for frame, cell in zip(completions, cells, strict=True):
        frame = _in_query_order(frame, queries, cell)
        texts = frame["text"].fillna("").tolist()
        for text in texts:
            if text not in parsed:
                parsed[text] = parse(text, lamp, rule)
        predictions = [parsed[text] for text in texts]
        part = pd.DataFrame(
            {
                "task": task,
                "retriever": cell.retriever,
                "k": str(cell.k),
                "query_id": queries["query_id"].to_numpy(),
                "user_id": queries["user_id"].to_numpy(),
                "prediction": [prediction.text for prediction in predictions],
                "gold": queries["gold"].to_numpy(),
                "valid": [prediction.valid for prediction in predictions],
                "n_tokens": frame["prompt_tokens"].to_numpy(dtype=np.int32),
                "flip_key": [flip_key(prediction, lamp) for prediction in predictions],
            }
        )
        logprobs = np.full((len(part), len(RATINGS)), np.nan)
        if kind_of(lamp) == RATING and "first_token_logprobs" in frame:
            logprobs = np.array(
                [rating_logprobs(entries) for entries in frame["first_token_logprobs"]]
            )
        parts.append(part.assign(**dict(zip(LOGPROBS, logprobs.T, strict=True))))
        rate = 1 - part["valid"].mean()
        if rate > 0:
            log.info("%s: %.1f %% of the answers are not valid.", cell, 100 * rate)
    scores = pd.concat(parts, ignore_index=True)
    metrics = query_metrics(scores, task, lamp, rule)
    ordered = [column for column in scores.columns if column not in LOGPROBS]
    return pd.concat([scores[ordered], metrics, scores[list(LOGPROBS)]], axis=1)


def query_metrics(scores: pd.DataFrame, task: str, lamp: int, rule: str) -> pd.DataFrame:
    """The metrics that are defined per query, by LaMP's rules, invalid answers included.

    Args:
        scores: prediction, gold, valid.
        task: name of the task.
        lamp: number of the LaMP task.
        rule: the parsing rule. Under `lenient` an invalid rating is unreadable, even if it is a
            number; under the others a number outside 1 to 5 counts as that number.

    Returns:
        float64 columns `QUERY_METRICS`, NaN where the task doesn't have the metric. `correct` is
        also given for ratings, whose answers can turn from right to wrong too.
    """
    result = pd.DataFrame(np.nan, index=scores.index, columns=list(QUERY_METRICS))
    predictions, golds = scores["prediction"].tolist(), scores["gold"].tolist()
    if kind_of(lamp) == TEXT:
        result["rouge1"], result["rougeL"] = rouge(predictions, golds).T
    elif kind_of(lamp) == RATING:
        readable = scores["valid"] if rule == "lenient" else [True] * len(scores)
        numbers = [
            rating(prediction) if read else None
            for prediction, read in zip(predictions, readable, strict=True)
        ]
        errors = rating_errors(numbers, golds, task)
        result["absolute_error"], result["squared_error"] = errors, errors**2
        right = (errors == 0) & scores["valid"].to_numpy()
        result["correct"] = right.astype(np.float64)
    else:
        right = np.array([p == g.strip() for p, g in zip(predictions, golds, strict=True)])
        result["correct"] = right.astype(np.float64)
    return result


def flip_key(prediction: Prediction, lamp: int) -> str:
    """What two answers must share to count as the same answer.

    A rating's number, a label, a text without regard to case and white space; all invalid ratings
    and labels are one answer.
    """
    if kind_of(lamp) == TEXT:
        return " ".join(prediction.text.casefold().split())
    if not prediction.valid:
        return INVALID
    return f"{rating(prediction.text):g}" if kind_of(lamp) == RATING else prediction.text


def rating_logprobs(entries: Sequence[Mapping[str, object]] | None) -> list[float]:
    """Log-probabilities of the ratings 1 to 5 among the listed candidates of the first token.

    Tokens that differ in white space only ("4", " 4") are the same rating. A rating that isn't
    listed gets the smallest listed log-probability, which is the most it can have. Five NaN where
    no rating is listed at all.
    """
    mass = dict.fromkeys(RATINGS, 0.0)
    smallest = math.inf
    for entry in entries if entries is not None else ():
        logprob = float(entry["logprob"])
        smallest = min(smallest, logprob)
        # SentencePiece marks a leading space as U+2581, byte-level BPE as U+0120.
        token = str(entry["token"]).strip(" \t\n▁Ġ")
        if token in mass:
            mass[token] += math.exp(logprob)
    if not any(mass.values()):
        return [math.nan] * len(RATINGS)
    return [math.log(value) if value > 0 else smallest for value in mass.values()]


def _in_query_order(frame: pd.DataFrame, queries: pd.DataFrame, cell: Cell) -> pd.DataFrame:
    if frame["query_id"].tolist() == queries["query_id"].tolist():
        return frame
    have, want = set(frame["query_id"]), set(queries["query_id"])
    if len(frame) != len(queries) or have != want:
        missing, extra = sorted(want - have), sorted(have - want)
        raise UserError(
            f"completions of {cell}: not the task's queries ({len(frame)} rows for "
            f"{len(queries)} queries, {len(missing)} missing {missing[:3]}, "
            f"{len(extra)} unknown {extra[:3]})."
        )
    return frame.set_index("query_id").loc[queries["query_id"]].reset_index()
