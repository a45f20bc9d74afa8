"""Calibration texts: train-split queries, rendered as the very prompts that the model will meet."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quantrag.errors import UserError
from quantrag.grid import K
from quantrag.prompts.build import build_prompts
from quantrag.prompts.chat_templates import ChatFormat
from quantrag.prompts.styles import PromptStyle
from quantrag.tables import read_arrow

log = logging.getLogger(__name__)

SCHEMA = pa.schema(
    [
        ("task", pa.string()),
        ("query_id", pa.string()),
        ("text", pa.string()),
        ("token_ids", pa.list_(pa.int32())),
        ("n_tokens", pa.int32()),
    ]
)
# Queries that are rendered at a time; more would be rendered in vain.
_BATCH = 16


@dataclass(frozen=True)
class TrainingTask:
    """One task's train split and the style of its prompts.

    Attributes:
        queries: columns query_id, scope_id, input, query_text.
        documents: columns document_id, scope_id, text, target; a scope's documents contiguous.
    """

    name: str
    queries: pa.Table
    documents: pa.Table
    style: PromptStyle


def load_evaluated(paths: Iterable[str | Path]) -> frozenset[str]:
    """Every text, normalized, that the experiment evaluates: full inputs and bare query texts.

    Texts, not ids: the splits number their queries independently of each other.
    """
    texts: set[str] = set()
    for path in paths:
        table = read_arrow(path, columns=["input", "query_text"])
        for column in table.columns:
            texts.update(map(normalize, column.to_pylist()))
    return frozenset(texts)


def normalize(text: str) -> str:
    """Lower case and single spaces, so that layout doesn't hide that two texts are the same."""
    return " ".join(text.lower().split())


def choose_texts(
    tasks: Sequence[TrainingTask],
    evaluated: frozenset[str],
    chat: ChatFormat,
    *,
    count: int,
    max_tokens: int,
    documents: int,
    seed: int,
) -> pa.Table:
    """Choose train queries at random and render each with the first documents of its scope.

    The tasks take turns, so that each gives the same number as long as it has enough. A query
    that is evaluated (by text) is never chosen, and a document that is one is never shown.
    Documents are left out until the text fits; a query too long by itself is skipped.

    Args:
        tasks: the train splits, in the order in which they take turns.
        evaluated: normalized texts that must not occur (`load_evaluated`).
        chat: the model's chat format, which also holds its tokenizer.
        count: how many texts; fewer, with a warning, where the train splits have fewer.
        max_tokens: longest text in tokens.
        documents: most documents in a text.
        seed: seed of the choice.

    Returns:
        `SCHEMA`, in the order of the choice; `token_ids` as the engine would get them.

    Raises:
        UserError: no query is left.
    """
    candidates = [
        _candidates(task, evaluated, chat, max_tokens, documents, np.random.default_rng((seed, i)))
        for i, task in enumerate(tasks)
    ]
    rows = _take_turns(candidates, count)
    if not rows:
        names = ", ".join(task.name for task in tasks)
        raise UserError(
            f"no calibration text: in the train splits of {names}, no query that is not evaluated "
            f"too fits into {max_tokens} tokens."
        )
    if len(rows) < count:
        log.warning("the train splits give %d calibration texts of %d asked for", len(rows), count)
    log.info("%d calibration texts, %d tokens", len(rows), sum(row["n_tokens"] for row in rows))
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def check_disjoint(
    texts: pa.Table, tasks: Sequence[TrainingTask], evaluated: frozenset[str]
) -> None:
    """Stop when an evaluated query is among the calibration texts, whatever chose them.

    Raises:
        AssertionError: with the task and the id of the train query.
    """
    columns = ("query_id", "input", "query_text")
    contents = {
        (task.name, query_id): (task_input, query_text)
        for task in tasks
        for query_id, task_input, query_text in zip(
            *(task.queries[column].to_pylist() for column in columns), strict=True
        )
    }
    for row in texts.select(["task", "query_id"]).to_pylist():
        if evaluated.intersection(map(normalize, contents[row["task"], row["query_id"]])):
            raise AssertionError(
                f"calibration text {row['query_id']} of {row['task']} is an evaluated query"
            )


def _candidates(
    task: TrainingTask,
    evaluated: frozenset[str],
    chat: ChatFormat,
    max_tokens: int,
    documents: int,
    generator: np.random.Generator,
) -> Iterator[dict]:
    queries = task.queries.filter(
        pc.and_(
            _fresh(task.queries["input"], evaluated), _fresh(task.queries["query_text"], evaluated)
        )
    )
    if left_out := len(task.queries) - len(queries):
        log.warning("%s: %d train queries are evaluated too: left out", task.name, left_out)
    queries = queries.take(generator.permutation(len(queries)))
    shown = task.documents.filter(_fresh(task.documents["text"], evaluated))
    for start in range(0, len(queries), _BATCH):
        batch = queries.slice(start, _BATCH)
        prompts = build_prompts(
            batch,
            shown,
            _first_documents(batch, shown, documents) if documents else None,
            [K(False, documents)],
            task.style,
            chat,
            context=max_tokens,
            max_new_tokens=0,
        )
        for row in prompts.to_pylist():
            if not row["truncated"]:
                yield {
                    "task": task.name,
                    "query_id": row["query_id"],
                    "text": row["prompt"],
                    "token_ids": row["token_ids"],
                    "n_tokens": row["n_tokens"],
                }


def _fresh(texts: pa.ChunkedArray, evaluated: frozenset[str]) -> pa.Array:
    return pa.array([normalize(text) not in evaluated for text in texts.to_pylist()], pa.bool_())


def _first_documents(queries: pa.Table, documents: pa.Table, count: int) -> pa.Table:
    """A run that ranks each scope's documents in the order of the file."""
    first: dict[str, list[str]] = {scope: [] for scope in queries["scope_id"].to_pylist()}
    for scope, document in zip(
        documents["scope_id"].to_pylist(), documents["document_id"].to_pylist(), strict=True
    ):
        if scope in first and len(first[scope]) < count:
            first[scope].append(document)
    rows = [
        {"query_id": query, "rank": rank, "document_id": document}
        for query, scope in zip(
            queries["query_id"].to_pylist(), queries["scope_id"].to_pylist(), strict=True
        )
        for rank, document in enumerate(first[scope], start=1)
    ]
    schema = [("query_id", pa.string()), ("rank", pa.int32()), ("document_id", pa.string())]
    return pa.Table.from_pylist(rows, schema=pa.schema(schema))


def _take_turns(iterators: Sequence[Iterator[dict]], count: int) -> list[dict]:
    rows: list[dict] = []
    waiting = list(iterators)
    while waiting:
        for iterator in list(waiting):
            if len(rows) == count:
                return rows
            row = next(iterator, None)
            if row is None:
                waiting.remove(iterator)
            else:
                rows.append(row)
    return rows
