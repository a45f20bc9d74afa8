"""Matched answers of one task -> the tables that scoring writes of a task that ran here."""

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from quantrag.errors import UserError
from quantrag.grid import Cell, K
from quantrag.names import NOISE_FLOOR
from quantrag.recorded.align import match
from quantrag.recorded.record import Record
from quantrag.scoring.evidence import UNKNOWN
from quantrag.scoring.metrics import (
    CORRECT,
    METRICS,
    score_columns,
    value_and_count,
)
from quantrag.scoring.score import GOLD, LOGPROBS, RIGHT, score_task
from quantrag.tasks.answers import SCORE
from quantrag.tasks.task import Task

log = logging.getLogger(__name__)

#: Metadata of a task's queries: how many items were left out, by system, as JSON.
LEFT_OUT = "left_out"


class System(NamedTuple):
    """Whose answers, as the tables name it."""

    model: str
    precision: str
    retriever: str
    k: str

    def __str__(self) -> str:
        cell = "" if self.k == "0" else f", {self.retriever}, k = {self.k}"
        return f"{self.model} at {self.precision}{cell}"


class TaskTables(NamedTuple):
    """What a task's recorded answers become.

    Attributes:
        queries: query_id, scope_id, cluster_id, input, query_text, golds (lists).
        answers: model, precision, retriever, k, query_id, text: the first repetition of each, where
            texts were recorded.
        scores: as `quantrag.scoring.score.score_task` gives them, with model and precision, a
            column for each recorded metric, and `right` (float64).
        left_out: number of items that were left out, for each system that has them.
    """

    queries: pd.DataFrame
    answers: pd.DataFrame
    scores: pd.DataFrame
    left_out: dict[str, int]


def score_recorded(
    task: Task,
    systems: Mapping[System, Sequence[Sequence[Record]]],
    *,
    rule: str,
    baseline: str,
    queries: pd.DataFrame | None = None,
) -> TaskTables:
    """Score one task's recorded answers.

    Scores of several repetitions of an item are averaged. What counts as a changed answer, and
    `right`, follow the first repetition. Where the baseline has several and no noise floor was
    recorded, its second repetition becomes that, and no longer counts for the baseline.

    Args:
        task: the task.
        systems: the records of each system's files.
        rule: the parsing rule, where the task has answers to be read.
        baseline: the precision that the others are compared with.
        queries: the task's own queries with their golds, where the answers are to those.

    Raises:
        UserError: as `quantrag.recorded.align.match` and `score_task`; answers without golds or
            texts; items that aren't among `queries`.
    """
    matched = match(task.name, {str(system): files for system, files in systems.items()})
    by_system = dict(zip(systems, matched.answers, strict=True))
    items = matched.items
    if queries is None:
        queries = _queries(items, matched.answers)
    else:
        queries = _known(task, items, queries)
        place = {item: n for n, item in enumerate(items)}
        order = [place[query_id] for query_id in queries["query_id"]]
        by_system = {s: [records[n] for n in order] for s, records in by_system.items()}
    by_system = _with_noise_floor(by_system, baseline)
    if task.answer != SCORE:
        _complete(task, queries, by_system)
    scores = [
        (_read_answers(task, system, records, queries, rule) if task.answer != SCORE
         else _as_scored(task, system, records, queries, matched.metrics))
        for system, records in by_system.items()
    ]  # fmt: skip
    frame = pd.concat(scores, ignore_index=True)
    for key in matched.metrics:
        values = [
            [np.mean([record.scores[key] for record in of_item]) for of_item in records]
            for records in by_system.values()
        ]
        frame[key] = np.concatenate(values)
    if task.answer == SCORE:
        _judge(frame, list(by_system.values()), matched.metrics)
    answers = [
        _labelled(
            pd.DataFrame(
                {
                    "query_id": queries["query_id"],
                    "text": [of_item[0].text for of_item in records],
                }
            ),
            system,
        )
        for system, records in by_system.items()
    ]
    return TaskTables(queries, pd.concat(answers, ignore_index=True), frame, matched.left_out)


def _queries(items: Sequence[str], systems: Sequence[Sequence[Sequence[Record]]]) -> pd.DataFrame:
    """A table of queries from what the records say of the items."""
    golds = [
        next((r.golds for of_system in systems for r in of_system[n] if r.golds), ())
        for n in range(len(items))
    ]
    records = [of_item[0] for of_item in systems[0]]
    return pd.DataFrame(
        {
            "query_id": list(items),
            "scope_id": list(items),
            "cluster_id": [record.cluster or record.item for record in records],
            "input": [record.input for record in records],
            "query_text": [record.input for record in records],
            "golds": [list(gold) for gold in golds],
        }
    )


def _known(task: Task, items: Sequence[str], queries: pd.DataFrame) -> pd.DataFrame:
    """The queries that were answered. Raises UserError where half of the answers are to others."""
    unknown = sorted(set(items) - set(queries["query_id"]))
    shown = ", ".join(map(repr, unknown[:3]))
    if len(unknown) > len(items) / 2:
        raise UserError(f"{task.name}: {len(unknown):,} answers to unknown queries ({shown}).")
    if unknown:
        log.warning(
            "%s: answers to %s queries are left out, which the task hasn't (%s).",
            *(task.name, f"{len(unknown):,}", shown),
        )
    return queries[queries["query_id"].isin(set(items))].reset_index(drop=True)


def _with_noise_floor(
    by_system: Mapping[System, list[list[Record]]], baseline: str
) -> dict[System, list[list[Record]]]:
    """Make a second repetition of the baseline the noise floor, where there is none."""
    found = dict(by_system)
    for system, records in by_system.items():
        noise = system._replace(precision=NOISE_FLOOR)
        if system.precision == baseline and len(records[0]) > 1 and noise not in by_system:
            found[system] = [[first, *others] for first, _, *others in records]
            found[noise] = [of_item[1:2] for of_item in records]
    return found


def _complete(
    task: Task, queries: pd.DataFrame, by_system: Mapping[System, list[list[Record]]]
) -> None:
    for query_id, golds in zip(queries["query_id"], queries["golds"], strict=True):
        if not len(golds):
            raise UserError(
                f"{task.name}: the item {query_id!r} has no gold. Without golds nothing but scores "
                "can be compared (answer: score)."
            )
    for records in by_system.values():
        for of_item in records:
            for record in of_item:
                if record.text is None:
                    raise UserError(
                        f"{record.where}: no answer that the task {task.name} could read. Its "
                        "scores can be compared (answer: score)."
                    )


def _read_answers(
    task: Task, system: System, records: list[list[Record]], queries: pd.DataFrame, rule: str
) -> pd.DataFrame:
    """Parse and score the texts of a system."""
    repeated = [n for n, of_item in enumerate(records) for _ in of_item]
    flat = [record for of_item in records for record in of_item]
    completions = pd.DataFrame(
        {
            "query_id": queries["query_id"].to_numpy()[repeated],
            "text": [record.text for record in flat],
            "prompt_tokens": [record.prompt_tokens for record in flat],
        }
    )
    cell = Cell(task.name, system.retriever, K.parse(system.k))
    every = score_task([completions], [cell], queries.iloc[repeated], task=task, rule=rule)
    first = every.groupby("query_id", sort=False).head(1).reset_index(drop=True)
    first[RIGHT] = first[CORRECT]
    if len(every) > len(first):
        # Not the labels' codes, of which there is no mean: macro F1 is of the first repetition.
        means = [m for m in METRICS.values() if m.parts is value_and_count]
        averaged = list(dict.fromkeys([CORRECT, *(c for m in means for c in m.columns)]))
        groups = every.groupby("query_id", sort=False)
        first[averaged] = groups[averaged].mean().to_numpy()
        first["valid"] = groups["valid"].all().to_numpy()
    return _labelled(first, system)


def _as_scored(
    task: Task,
    system: System,
    records: list[list[Record]],
    queries: pd.DataFrame,
    metrics: Sequence[str],
) -> pd.DataFrame:
    """What the score of an item needs beside the recorded metrics."""
    if not metrics:
        raise UserError(f"{task.name}: no score that every system has.")
    firsts = [of_item[0] for of_item in records]
    frame = pd.DataFrame(
        {
            "task": task.name,
            "retriever": system.retriever,
            "k": system.k,
            "query_id": queries["query_id"],
            "cluster_id": queries["cluster_id"],
            "prediction": [record.text or "" for record in firsts],
            "golds": queries["golds"],
            "valid": True,
            "n_tokens": np.array([record.prompt_tokens for record in firsts], dtype=np.int32),
            "evidence": UNKNOWN,
            "flip_key": [_flip_key(record, metrics) for record in firsts],
        }
    )
    frame[[CORRECT, *score_columns(), *GOLD, RIGHT]] = np.nan
    frame[LOGPROBS] = None
    return _labelled(frame, system)


def _flip_key(record: Record, metrics: Sequence[str]) -> str:
    """What two answers must share to count as the same: the text, else the scores."""
    if record.key is not None:
        return record.key
    if record.text is not None:
        return " ".join(record.text.casefold().split())
    return " ".join(f"{record.scores[key]:.6g}" for key in metrics)


def _judge(
    frame: pd.DataFrame, by_system: Sequence[list[list[Record]]], metrics: Sequence[str]
) -> None:
    """Let the first metric that is 0 or 1 throughout say which answers are right."""
    for key in metrics:
        values = {r.scores[key] for records in by_system for of_item in records for r in of_item}
        if values <= {0.0, 1.0}:
            frame[CORRECT] = frame[key]
            frame[RIGHT] = [of[0].scores[key] for records in by_system for of in records]
            return


def _labelled(frame: pd.DataFrame, system: System) -> pd.DataFrame:
    frame = frame.assign(
        model=system.model, precision=system.precision, retriever=system.retriever, k=system.k
    )
    first = [name for name in ("task", "model", "precision", "retriever", "k") if name in frame]
    return frame[[*first, *(name for name in frame if name not in first)]]
