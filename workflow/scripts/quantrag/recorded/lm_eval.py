"""`samples_{task}_{date}.jsonl` of lm-evaluation-harness (`--log_samples`).

A line for each document and filter: `doc_id`, `doc`, `target`, `arguments`, `resps`,
`filtered_resps`, `filter`, `metrics` (names), hashes of document, prompt and target, and a value of
each metric. Seen of version 0.4.12.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from quantrag.errors import UserError
from quantrag.recorded.record import (
    Record,
    golds_of,
    number,
    read_json,
    score_key,
    text_of,
    wanted,
)
from quantrag.tasks.record_files import read_records

_NAME = re.compile(r"samples_(?P<task>.+)_\d{4}-\d{2}-\d{2}T[\d.:-]+\.jsonl")
_HASHES = {"doc_hash": "document", "prompt_hash": "prompt", "target_hash": "target"}
_FIELDS = ("doc_id", "doc", "target", "arguments", "resps", "metrics")


def task_of(path: Path) -> str | None:
    """The task that a file's name says; None where it isn't a file of samples."""
    found = _NAME.fullmatch(path.name)
    return found["task"] if found else None


def read(path: Path, options: Mapping[str, Any]) -> list[Record]:
    """The documents of a file, with every metric that is one number for a document.

    Which way a metric improves is read from `results_*.json` in the same folder, else from its
    name. A metric of several filters has a key for each (`exact_match,strict-match`).

    Args:
        path: the file.
        options: `lower_is_better`, names of metrics of which less is better.

    Raises:
        UserError: the file is missing, is no such file, or has a document twice for a filter.
    """
    higher = _directions(path.parent).get(task_of(path) or "", {})
    merged: dict[str, Record] = {}
    seen: dict[tuple[str, str], str] = {}
    for where, line in read_records(path):
        for field in _FIELDS:
            wanted(line, field, where)
        item, of_filter = str(line["doc_id"]), line.get("filter", "none")
        if (item, of_filter) in seen:
            raise UserError(
                f"{where}: the document {item} stands already in {seen[item, of_filter]}, for the "
                f"same filter ({of_filter})."
            )
        seen[item, of_filter] = where
        scores = {}
        for metric in line["metrics"]:
            value = number(line.get(metric))
            if value is not None:
                name = metric if of_filter == "none" else f"{metric},{of_filter}"
                key = score_key(name, options, metric=metric, higher=higher.get(metric))
                scores[key] = value
        if item in merged:
            merged[item].scores.update(scores)
            continue
        arguments = _arguments(line["arguments"])
        merged[item] = Record(
            item=item,
            where=where,
            text=_answer(line["resps"], arguments),
            golds=_golds(line["target"], arguments),
            scores=scores,
            input=text_of(arguments[0][0]) if arguments and arguments[0] else text_of(line["doc"]),
            hashes={kind: line[key] for key, kind in _HASHES.items() if key in line},
        )
    return list(merged.values())


@cache
def _directions(folder: Path) -> Mapping[str, Mapping[str, bool]]:
    """Whether more is better, by task and metric, as the runs of a folder say it."""
    found: dict[str, dict[str, bool]] = {}
    for path in sorted(folder.glob("results_*.json")):
        for task, metrics in read_json(path).get("higher_is_better", {}).items():
            found.setdefault(task, {}).update(
                {name: value for name, value in metrics.items() if isinstance(value, bool)}
            )
    return found


def _arguments(logged: Any) -> list[list[Any]]:
    """The arguments of each request: newer versions name them, older ones list them."""
    requests = list(logged.values()) if isinstance(logged, Mapping) else list(logged)
    return [list(r.values()) if isinstance(r, Mapping) else list(r) for r in requests]


def _answer(responses: Any, arguments: list[list[Any]]) -> str | None:
    """The generated text, or the likeliest of several choices; None for one likelihood."""
    first = responses[0][0] if responses and responses[0] else None
    if isinstance(first, str):
        return first
    if len(responses) < 2 or not isinstance(first, list | tuple):
        return None
    try:
        likelihoods = [float(response[0][0]) for response in responses]
    except (TypeError, ValueError, IndexError):
        return None
    best = likelihoods.index(max(likelihoods))
    return text_of(arguments[best][1]).strip() if best < len(arguments) else str(best)


def _golds(target: Any, arguments: list[list[Any]]) -> tuple[str, ...]:
    """The target; of several choices its text, which the harness names by its place."""
    is_choice = len(arguments) > 1 and isinstance(arguments[0][1], str)
    if is_choice and str(target).isdigit() and int(target) < len(arguments):
        return (text_of(arguments[int(target)][1]).strip(),)
    return golds_of(target)
