"""Completions to per-query scores: equal answers are parsed and scored once."""

import logging
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from quantrag.errors import UserError
from quantrag.grid import Cell
from quantrag.scoring.evidence import UNKNOWN, place_of_evidence
from quantrag.scoring.likelihoods import Likelihoods, TokenLogprobs
from quantrag.scoring.metrics import CORRECT, gold_likelihood, metrics_for, score_columns
from quantrag.tasks.answers import RATING, RATINGS
from quantrag.tasks.task import Task

log = logging.getLogger(__name__)

# Columns of the scores: log-probability that the answer starts with the rating.
GOLD = ("gold_logprob", "gold_tokens")
#: Column of recorded answers: whether the first of several repetitions is right, 1 or 0; `CORRECT`
#: is their mean there.
RIGHT = "right"
LOGPROBS = tuple(f"logprob_{value}" for value in RATINGS)


def score_task(
    completions: Sequence[pd.DataFrame],
    cells: Sequence[Cell],
    queries: pd.DataFrame,
    *,
    task: Task,
    rule: str,
) -> pd.DataFrame:
    """Score all completions of one task by one checkpoint.

    Args:
        completions: per cell a frame with query_id, text, prompt_tokens and, where they exist,
            first_token_logprobs, likelihoods, baseline_likelihood and document_ids (of the prompt's
            documents, in their order; without them the place of the evidence isn't known).
        cells: of each of them; their task is `task`.
        queries: query_id, cluster_id, golds and, where there is any, evidence.
        task: the task.
        rule: the parsing rule.

    Returns:
        One row per cell and query, cells in the given order and queries in theirs: task,
        retriever, k, query_id, cluster_id, prediction, golds, valid, n_tokens (int32, of the
        prompt), evidence (where it stands in the prompt, `quantrag.scoring.evidence`), flip_key,
        correct (1, 0, or NaN where answers are a matter of degree), the columns of the metrics
        (float64, NaN where they aren't the task's or weren't measured), gold_logprob and
        gold_tokens (float64: log-probability of the gold's text in nats and its tokens, NaN where
        not measured) and logprob_1 .. logprob_5 (float64: log-probability of the rating as an
        answer, or where it wasn't measured that the answer starts with it; NaN where unknown).

    Raises:
        UserError: a cell's completions aren't those of the task's queries, the task lacks the rule,
            or a gold is not an answer.
    """
    metrics = [metric for metric in metrics_for(task.answer) if metric.per_query is not None]
    of_likelihood = [m for m in metrics_for(task.answer) if m.per_likelihood is not None]
    names = [column for metric in metrics for column in metric.columns]
    known: dict[tuple[str, tuple[str, ...]], tuple] = {}
    golds = [tuple(of_query) for of_query in queries["golds"]]
    evidence = queries.get("evidence", [()] * len(queries))

    def scored(text: str, golds: tuple[str, ...]) -> tuple:
        if (text, golds) not in known:
            prediction = task.parse(text, rule)
            known[text, golds] = (
                prediction.text,
                prediction.valid,
                task.flip_key(prediction),
                task.is_right(prediction, golds),
                *(value for m in metrics for value in m.per_query(prediction, golds, task)),
            )
        return known[text, golds]

    parts = []
    for frame, cell in zip(completions, cells, strict=True):
        frame = _in_query_order(frame, queries, cell)
        texts = frame["text"].fillna("").tolist()
        rows = [scored(text, of_query) for text, of_query in zip(texts, golds, strict=True)]
        predictions, valid, keys, right, *values = zip(*rows, strict=True)
        part = pd.DataFrame(
            {
                "task": task.name,
                "retriever": cell.retriever,
                "k": str(cell.k),
                "query_id": queries["query_id"].to_numpy(),
                "cluster_id": queries["cluster_id"].to_numpy(),
                "prediction": predictions,
                "golds": golds,
                "valid": valid,
                "n_tokens": frame["prompt_tokens"].to_numpy(dtype=np.int32),
                "evidence": _places(frame, evidence),
                "flip_key": keys,
                CORRECT: np.array(right, dtype=np.float64),
            }
        )
        columns = dict(zip(names, values, strict=True))
        for column in score_columns():
            part[column] = np.array(columns.get(column, np.nan), dtype=np.float64)
        measured = likelihoods_of(frame)
        likelihood_values = [
            [value for m in of_likelihood for value in m.per_likelihood(own, of_query, task)]
            for own, of_query in zip(measured, golds, strict=True)
        ]
        names_of_likelihood = [column for m in of_likelihood for column in m.columns]
        part[names_of_likelihood] = np.array(likelihood_values, dtype=np.float64)
        part[list(GOLD)] = [
            gold_likelihood(own, of_query, task)
            for own, of_query in zip(measured, golds, strict=True)
        ]
        logprobs = np.full((len(part), len(RATINGS)), np.nan)
        if task.answer == RATING:
            candidates = frame.get("first_token_logprobs", [None] * len(frame))
            logprobs = np.array(
                [
                    [np.sum(one.logprobs) for one in own.texts] or rating_logprobs(entries)
                    for own, entries in zip(measured, candidates, strict=True)
                ]
            )
        parts.append(part.assign(**dict(zip(LOGPROBS, logprobs.T, strict=True))))
        rate = 1 - part["valid"].mean()
        if rate > 0:
            log.info("%s: %.1f %% of the answers are not valid.", cell, 100 * rate)
    return pd.concat(parts, ignore_index=True)


def likelihoods_of(frame: pd.DataFrame) -> list[Likelihoods]:
    """What was scored after each query's prompt, from a frame of completions."""
    unknown = [None] * len(frame)
    texts = frame.get("likelihoods", unknown)
    baselines = frame.get("baseline_likelihood", unknown)
    return [
        Likelihoods(
            [] if own is None else [TokenLogprobs(one["logprobs"], one["ranks"]) for one in own],
            None if baseline is None else TokenLogprobs(**baseline),
        )
        for own, baseline in zip(texts, baselines, strict=True)
    ]


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


def _places(frame: pd.DataFrame, evidence: Sequence[Sequence[str]]) -> list[str]:
    """Where each query's evidence stands in its prompt."""
    if "document_ids" not in frame:
        return [UNKNOWN] * len(frame)
    pairs = zip(frame["document_ids"], evidence, strict=True)
    return [place_of_evidence(documents, own) for documents, own in pairs]


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
