"""Completions to per-query scores: equal answers are parsed and scored once."""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd

from quantrag.errors import UserError
from quantrag.grid import Cell
from quantrag.scoring.evidence import UNKNOWN, place_of_evidence
from quantrag.scoring.likelihoods import Likelihoods, TokenLogprobs
from quantrag.scoring.metrics import CORRECT, gold_likelihood, metrics_for, score_columns
from quantrag.tasks.task import Task

log = logging.getLogger(__name__)

#: Columns of the scores: log-probability of the gold's text and its tokens.
GOLD = ("gold_logprob", "gold_tokens")
#: Column of recorded answers: whether the first of several repetitions is right, 1 or 0; `CORRECT`
#: is their mean there.
RIGHT = "right"
#: Column of the scores: log-probabilities of all allowed answers, where they are a fixed set.
LOGPROBS = "logprobs"


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
            likelihoods, baseline_likelihood and document_ids (of the prompt's
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
        not measured) and logprobs (list of float64: log-probabilities of the task's labels
        as answers; None where it has none or they weren't measured).

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
        part[LOGPROBS] = [
            [float(np.sum(one.logprobs)) for one in own.texts] or None if task.labels else None
            for own in measured
        ]
        parts.append(part)
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
            [] if own is None else [TokenLogprobs(**one) for one in own],
            None if baseline is None else TokenLogprobs(**baseline),
        )
        for own, baseline in zip(texts, baselines, strict=True)
    ]


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
