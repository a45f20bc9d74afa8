"""The explorer's data: prompts and answers query by query, small enough to travel inside a page.

A prompt at one k repeats most of the same prompt at another k, and every model's prompt repeats the
same documents. Prompts are cut into pieces (lines and documents), and each piece is stored once.
Where an experiment is larger than the page may be, the queries are a random sample.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from quantrag.scoring.metrics import Metric, metrics_for
from quantrag.tasks.task import Task

#: Bytes of JSON for all tasks together, and queries of one task.
BUDGET = 14_000_000
MOST_QUERIES = 200
#: Characters of a passage that are shown beside the prompt, which has all of them.
PASSAGE = 400


@dataclass(frozen=True)
class TaskData:
    """What the explorer has to know of a task.

    Attributes:
        task: the task.
        queries: frame with query_id, cluster_id, golds and, of a shared corpus, query_text,
            evidence and metadata, in the task's order.
        separator: what the prompt style puts between two documents.
        documents: of a shared corpus: title and text of each document that is in a prompt or is
            the evidence of a sampled query, by id; None where documents have ids only.
    """

    task: Task
    queries: pd.DataFrame
    separator: str
    documents: Mapping[str, tuple[str, str]] | None = None


def measures_of(task: Task) -> list[Metric]:
    """What a query's answers are judged by: the task's metrics that each query has a value of."""
    return [metric for metric in metrics_for(task.answer) if metric.is_mean]


def draw_sample(query_ids: Sequence[str], seed: int, most: int = MOST_QUERIES) -> list[str]:
    """At most so many queries, in random order; a prefix of the result is a random sample too."""
    order = np.random.default_rng(seed).permutation(len(query_ids))[:most]
    return [query_ids[i] for i in order]


class Pieces:
    """Texts stored once each, by number; `size` is about their bytes as JSON."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.size = 0
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The number of a text, new or not."""
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self.texts)
            self.texts.append(text)
            self.size += len(to_json(text).encode()) + 1
        return found


def cut(text: str, separator: str) -> list[str]:
    """Pieces of a prompt that give it back when joined: it is cut after lines and separators."""
    ends = ["\n", *([separator] if separator else [])]
    return [part for part in re.split("|".join(f"(?<={re.escape(e)})" for e in ends), text) if part]


def task_json(
    task: TaskData,
    sample: Sequence[str],
    models: Sequence[str],
    precisions: Sequence[str],
    cells: Sequence[tuple[str, str]],
    prompts: Mapping[tuple[str, str], pd.DataFrame],
    answers: Mapping[tuple[str, str, str, str], pd.DataFrame],
    budget: int = BUDGET,
) -> dict[str, Any]:
    """One task's queries with all their prompts and answers, as many of `sample` as fit.

    Args:
        task: what belongs to the task.
        sample: query ids; the first ones that fit are taken.
        models: in the order of the page.
        precisions: the baseline first.
        cells: (retriever, k) in the order of the page.
        prompts: by (model, retriever): frame with query_id, k, prompt, n_tokens, document_ids,
            dropped, truncated.
        answers: by (model, precision, retriever, k): frame with query_id, text, valid, flip_key and
            the task's measures (those that no answer has a value of are left out).
        budget: bytes of JSON; one query is taken whatever its size.

    Returns:
        `pieces` (texts), `cluster` (what one is called), `total` and `taken` (numbers of queries),
        `measures`, and `queries`: each with id, cluster, golds and `runs`, by model, then cell:
        `[prompt, answers]`. A prompt is [pieces, tokens, documents kept, documents dropped,
        truncated]; an answer, by precision, is [piece, changed, valid, measures ...]. All documents
        and texts are numbers of pieces. Of a shared corpus also `passages`: [title, text] by the
        number of the document's id, and of each query `question`, `evidence` and `metadata`.
    """
    measures = [
        metric
        for metric in measures_of(task.task)
        if any(frame[metric.columns[0]].notna().any() for frame in answers.values())
    ]
    rows_of_prompt = {
        key: {(row["query_id"], row["k"]): row for row in _records(frame)}
        for key, frame in prompts.items()
    }
    rows_of_answer = {
        key: {row["query_id"]: row for row in _records(frame)} for key, frame in answers.items()
    }
    facts = {row["query_id"]: row for row in _records(task.queries)}
    pieces, queries, size = Pieces(), [], 0
    passages: dict[int, list[int]] = {}
    for query_id in sample:
        before, count = pieces.size, len(pieces.texts)
        runs = []
        for model in models:
            of_model = []
            for retriever, k in cells:
                prompt = rows_of_prompt[model, retriever][query_id, k]
                own = [
                    rows_of_answer[model, precision, retriever, k][query_id]
                    for precision in precisions
                ]
                of_model.append(
                    [
                        _prompt(prompt, task.separator, pieces),
                        [_answer(row, own[0], measures, pieces) for row in own],
                    ]
                )
            runs.append(of_model)
        fact = facts[query_id]
        golds = list(fact["golds"])
        entry = {"id": query_id, "cluster": fact["cluster_id"], "golds": golds, "runs": runs}
        if task.documents is not None:
            evidence = [pieces.number(name) for name in fact["evidence"]]
            entry["question"] = fact["query_text"]
            entry |= {"evidence": evidence, "metadata": json.loads(fact["metadata"])}
            for number in {*evidence, *(d for own in runs for prompt, _ in own for d in prompt[2])}:
                if number not in passages and pieces.texts[number] in task.documents:
                    title, text = task.documents[pieces.texts[number]]
                    passages[number] = [pieces.number(title), pieces.number(shortened(text))]
        grown = pieces.size - before + len(to_json(entry).encode())
        if queries and size + grown > budget:
            # What this query added is at the end.
            del pieces.texts[count:]
            passages = {n: own for n, own in passages.items() if max(n, *own) < count}
            break
        size += grown
        queries.append(entry)
    order = {query_id: number for number, query_id in enumerate(task.queries["query_id"])}
    of_corpus = {} if task.documents is None else {"passages": passages}
    return {
        **of_corpus,
        "task": task.task.name,
        "cluster": task.task.cluster.singular,
        "total": len(task.queries),
        "taken": len(queries),
        "measures": [
            {"label": metric.query_label or metric.label, "higher": metric.higher_is_better}
            for metric in measures
        ],
        "pieces": pieces.texts,
        "queries": sorted(queries, key=lambda entry: order[entry["id"]]),
    }


def shortened(text: str) -> str:
    """The beginning of a passage."""
    return text if len(text) <= PASSAGE else f"{text[:PASSAGE].rstrip()} …"


def sampling_note(taken: int, total: int, seed: int) -> str:
    """How a task's queries were chosen, for the page."""
    if taken == total:
        return f"All {total:,} queries are here."
    return (
        f"{taken:,} of {total:,} queries are here, drawn at random (seed {seed}), the same for "
        "every model, precision, retriever and k. Figures and tables rest on all queries."
    )


def to_json(value: Any) -> str:
    """JSON that can stand inside a `script` element of a page: without <, > and &."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _prompt(row: Mapping[str, Any], separator: str, pieces: Pieces) -> list:
    parts = [pieces.number(part) for part in cut(row["prompt"], separator)]
    documents = [pieces.number(str(name)) for name in row["document_ids"]]
    dropped, truncated = int(row["dropped"]), int(row["truncated"])
    return [parts, int(row["n_tokens"]), documents, dropped, truncated]


def _answer(
    row: Mapping[str, Any], baseline: Mapping[str, Any], measures: Sequence[Metric], pieces: Pieces
) -> list:
    values = [row[metric.columns[0]] for metric in measures]
    return [
        pieces.number(row["text"] or ""),
        int(row["flip_key"] != baseline["flip_key"]),
        int(row["valid"]),
        *(None if pd.isna(value) else round(float(value), 4) for value in values),
    ]


def _records(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    columns = list(frame.columns)
    for values in zip(*(frame[column].tolist() for column in columns), strict=True):
        yield dict(zip(columns, values, strict=True))
