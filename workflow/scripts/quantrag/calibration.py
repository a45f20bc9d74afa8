"""Calibration texts: train-split queries, rendered as the prompts that the model will meet."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from tqdm import tqdm
from transformers import AutoTokenizer

from quantrag.errors import UserError
from quantrag.tables import read_table

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


@dataclass(frozen=True)
class TrainingTask:
    """One task's train split: its queries, and each user's documents: (text, target)."""

    name: str
    queries: pd.DataFrame
    documents: Mapping[str, Sequence[tuple[str, str]]]


def load_training_task(name: str, queries: str | Path, documents: str | Path) -> TrainingTask:
    """Read one task's train split from its two tables."""
    table = read_table(documents, columns=["user_id", "text", "target"])
    profiles: dict[str, list[tuple[str, str]]] = {}
    for user, text, target in table.itertuples(index=False):
        profiles.setdefault(user, []).append((text, target))
    return TrainingTask(name, read_table(queries), profiles)


def load_evaluated(paths: Iterable[str | Path]) -> frozenset[str]:
    """Every text, normalized, that the experiment evaluates: full inputs and bare query texts.

    Texts, not ids: LaMP numbers the queries of each split from zero.
    """
    texts: set[str] = set()
    for path in paths:
        table = read_table(path, columns=["input", "query_text"])
        texts.update(map(normalize, table["input"]), map(normalize, table["query_text"]))
    return frozenset(texts)


def normalize(text: str) -> str:
    """Lower case and single spaces, so that layout doesn't hide that two texts are the same."""
    return " ".join(text.lower().split())


def choose_texts(
    tasks: Sequence[TrainingTask],
    evaluated: frozenset[str],
    checkpoint: str | Path,
    *,
    count: int,
    max_tokens: int,
    documents: int,
    chat_template: bool,
    seed: int,
) -> pa.Table:
    """Choose train queries at random and render each with the first documents of its profile.

    The tasks take turns, so that each gives the same number as long as it has enough. A query
    that is evaluated (by text) is never chosen, and a document that is one is never shown.
    Documents are left out from the end until the text fits; a query too long by itself is skipped.

    Args:
        tasks: the train splits, in the order in which they take turns.
        evaluated: normalized texts that must not occur.
        checkpoint: folder of the model's tokenizer.
        count: how many texts; fewer, with a warning, where the train splits have fewer.
        max_tokens: longest text in tokens.
        documents: most documents in a text.
        chat_template: render with the model's chat template, else as plain text.
        seed: seed of the choice.

    Returns:
        `SCHEMA`, in the order of the choice. `token_ids` are the ids of the whole text, with the
        special tokens that the model expects and none twice.

    Raises:
        UserError: no query is left.
    """
    encode = _Encoder(checkpoint, chat_template)
    candidates = [
        _candidates(
            task, evaluated, encode, max_tokens, documents, np.random.default_rng((seed, i))
        )
        for i, task in enumerate(tasks)
    ]
    rows = []
    with tqdm(total=count, desc="calibration texts") as progress:
        for row in _take_turns(candidates):
            rows.append(row)
            progress.update()
            if len(rows) == count:
                break
    if not rows:
        names = ", ".join(task.name for task in tasks)
        raise UserError(
            f"no calibration text: in the train splits of {names}, no query that is not evaluated "
            f"too fits into {max_tokens} tokens."
        )
    if len(rows) < count:
        log.warning(
            "the train splits give %d calibration texts, %d were asked for", len(rows), count
        )
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def check_disjoint(
    texts: pa.Table, tasks: Sequence[TrainingTask], evaluated: frozenset[str]
) -> None:
    """Stop when an evaluated query is among the calibration texts, whatever chose them.

    Raises:
        AssertionError: with the task and the id of the train query.
    """
    inputs = {
        (task.name, query_id): text
        for task in tasks
        for query_id, text in zip(task.queries["query_id"], task.queries["input"], strict=True)
    }
    for task, query_id in zip(
        texts["task"].to_pylist(), texts["query_id"].to_pylist(), strict=True
    ):
        if normalize(inputs[task, query_id]) in evaluated:
            raise AssertionError(f"calibration text {query_id} of {task} is an evaluated query")


def _candidates(
    task: TrainingTask,
    evaluated: frozenset[str],
    encode: "_Encoder",
    max_tokens: int,
    documents: int,
    generator: np.random.Generator,
) -> Iterator[dict]:
    queries = task.queries
    for i in generator.permutation(len(queries)):
        query = queries.iloc[i]
        if {normalize(query["input"]), normalize(query["query_text"])} & evaluated:
            log.info("%s: train query %s is evaluated too: left out", task.name, query["query_id"])
            continue
        profile = [
            f"{text}\n{target}"
            for text, target in task.documents.get(query["user_id"], [])
            if normalize(text) not in evaluated
        ][:documents]
        for kept in range(len(profile), -1, -1):
            text, ids = encode("\n\n".join([*profile[:kept], query["input"]]))
            if len(ids) <= max_tokens:
                yield {
                    "task": task.name,
                    "query_id": query["query_id"],
                    "text": text,
                    "token_ids": ids,
                    "n_tokens": len(ids),
                }
                break


def _take_turns(iterators: Sequence[Iterator[dict]]) -> Iterator[dict]:
    waiting = list(iterators)
    while waiting:
        for iterator in list(waiting):
            row = next(iterator, None)
            if row is None:
                waiting.remove(iterator)
            else:
                yield row


class _Encoder:
    """Renders a user's message as the model's prompt and gives its token ids."""

    def __init__(self, checkpoint: str | Path, chat_template: bool) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(str(checkpoint))
        self._chat_template = chat_template

    def __call__(self, message: str) -> tuple[str, list[int]]:
        if not self._chat_template:
            return message, self._tokenizer(message)["input_ids"]
        text = self._tokenizer.apply_chat_template(
            [{"role": "user", "content": message}], tokenize=False, add_generation_prompt=True
        )
        # The template writes the special tokens itself.
        return text, self._tokenizer(text, add_special_tokens=False)["input_ids"]
