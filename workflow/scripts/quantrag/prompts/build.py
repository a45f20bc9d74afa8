"""Runs and documents -> the prompts of one model: rendered, packed, tokenized.

Precision is not an argument: every precision of a model reads the very same prompts.
"""

import hashlib
import logging
import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from quantrag.errors import UserError
from quantrag.grid import K
from quantrag.prompts.chat_templates import ChatFormat
from quantrag.prompts.continuations import ContinuationTokenizer
from quantrag.prompts.order import BEST_FIRST, DocumentOrder
from quantrag.prompts.query_prompts import Prompt, PromptBuilder
from quantrag.prompts.styles import PromptStyle
from quantrag.prompts.tokenization import GapTokenizer

log = logging.getLogger(__name__)

PROMPT_SCHEMA = pa.schema(
    [
        ("query_id", pa.string()),
        ("k", pa.string()),
        ("prompt", pa.string()),
        ("token_ids", pa.list_(pa.int32())),
        ("n_tokens", pa.int32()),
        ("document_ids", pa.list_(pa.string())),
        ("dropped", pa.int32()),
        ("truncated", pa.bool_()),
        ("prompt_hash", pa.string()),
        # What is scored after the prompt: every allowed answer, or the golds.
        (
            "continuations",
            pa.list_(
                pa.struct(
                    [
                        ("text", pa.string()),
                        ("token_ids", pa.list_(pa.int32())),
                        ("merges", pa.bool_()),
                    ]
                )
            ),
        ),
    ]
)
# One query in so many has its prompts tokenized whole as well, in case a tokenizer does what
# `quantrag.prompts.tokenization` takes to be impossible.
_CHECK_EVERY = 50
# Bytes and what stands for unknown characters; some tokenizers call them special too.
_NO_CONTROL = re.compile(r"<0x[0-9A-F]{2}>|[<\[](?:unk|UNK)[>\]]")


def build_prompts(
    queries: pa.Table,
    documents: pa.Table,
    run: pa.Table | None,
    ks: Sequence[K],
    style: PromptStyle,
    chat: ChatFormat,
    context: int,
    max_new_tokens: int,
    packing: str = "exact",
    answers: Sequence[str] = (),
    order: DocumentOrder = BEST_FIRST,
) -> pa.Table:
    """Build the prompts of every query for every k.

    Args:
        queries: columns query_id, scope_id, input, query_text.
        documents: columns document_id, scope_id, text, target; a scope's documents contiguous.
        run: columns query_id, rank, document_id, sorted by query and rank; None for k = 0.
        ks: how many documents to ask for.
        style: the templates of the task.
        chat: the model's chat format, which also holds its tokenizer.
        context: context length of the model in tokens.
        max_new_tokens: tokens kept free for the answer.
        packing: "exact", or "paper" for the released code's rule, which counts documents twice.
        answers: every allowed answer, where they are a fixed set: the prompts' continuations are
            these in place of the golds.
        order: how a prompt's documents stand in it, and in `document_ids`.

    Returns:
        Columns of `PROMPT_SCHEMA`, sorted by the order of `ks`, then of `queries`. A k that a
        scope can't fill gives all of its documents.

    Raises:
        UserError: no room for even an empty query, or a run that names unknown documents.
    """
    if run is None and any(k.needs_retriever for k in ks):
        raise ValueError(f"k = {', '.join(map(str, ks))} needs a run")
    texts = DocumentTexts(documents)
    rankings = _rankings(run)
    builder = PromptBuilder(style, chat, context, max_new_tokens, packing, order)
    try:
        prompts = _all_prompts(queries, texts, rankings, ks, builder)
    except _InexactError as error:
        log.warning("%s: starting again with whole prompts tokenized (slower)", error)
        builder.stop_cutting()
        prompts = _all_prompts(queries, texts, rankings, ks, builder)
    for k, rows in prompts.items():
        _log_summary(k, [prompt for _, _, prompt in rows])
    tokenizer = ContinuationTokenizer(builder.tokenizer, chat.lead)
    golds = queries["golds"].to_pylist() if "golds" in queries.column_names else []
    texts_of = dict(zip(queries["query_id"].to_pylist(), golds, strict=False))
    if answers:
        texts_of = dict.fromkeys(queries["query_id"].to_pylist(), answers)
    tables = []
    for k, rows in prompts.items():
        continuations = [
            _continuations(prompt, texts_of.get(query_id, ()), tokenizer)
            for query_id, _, prompt in rows
        ]
        tables.append(_table(k, rows, continuations))
    merged = sum(one["merges"] for own in tables[0]["continuations"].to_pylist() for one in own)
    if merged:
        log.warning("%d continuations merge with the end of their prompt", merged)
    return pa.concat_tables(tables)


def _continuations(
    prompt: Prompt, texts: Sequence[str], tokenizer: ContinuationTokenizer
) -> list[dict[str, object]]:
    """What is scored after a prompt; empty golds, of questions without an answer, aren't."""
    texts = [text.strip() for text in texts if text.strip()]
    return [
        {"text": text, "token_ids": found.ids, "merges": found.merges}
        for text, found in zip(texts, tokenizer.after(prompt.text, texts), strict=True)
    ]


def with_control_tokens(prompts: pa.Table, chat: ChatFormat, style: PromptStyle) -> int:
    """How many prompts hold special tokens that come from a document or a query.

    A text that spells one out ("<|im_end|>") is read as the token, as it would be wherever the
    model is used: it may end the user's turn in the middle of a document. It is kept and counted.

    Args:
        prompts: columns of `PROMPT_SCHEMA`.
        chat: the format they were built with, which writes special tokens of its own.
        style: their style.
    """
    tokenizer = chat.tokenizer
    added = tokenizer.added_tokens_decoder.items()
    special = {i: str(token) for i, token in added if token.special}
    special |= zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True)
    special = np.array([i for i, token in special.items() if not _NO_CONTROL.fullmatch(token)])
    own = GapTokenizer(tokenizer, chat.add_special_tokens).whole(chat.render(style.system, "x"))
    of_format = int(np.isin(own, special).sum())
    count = 0
    for chunk in prompts["token_ids"].chunks:
        lengths = np.diff(chunk.offsets.to_numpy())
        found = np.isin(chunk.flatten().to_numpy(), special)
        row = np.repeat(np.arange(len(chunk)), lengths)
        count += int((np.bincount(row[found], minlength=len(chunk)) > of_format).sum())
    return count


class _InexactError(Exception):
    """The ids of the pieces are not those of the whole prompt."""


def _all_prompts(
    queries: pa.Table,
    texts: "DocumentTexts",
    rankings: dict[str, list[str]],
    ks: Sequence[K],
    builder: PromptBuilder,
) -> dict[K, list[tuple[str, list[str], Prompt]]]:
    """(query_id, document_ids, prompt) of every query, by k."""
    prompts: dict[K, list[tuple[str, list[str], Prompt]]] = {k: [] for k in ks}
    columns = [
        queries[name].to_pylist() for name in ("query_id", "scope_id", "input", "query_text")
    ]
    rows = tqdm(zip(*columns, strict=True), total=len(queries), unit="query", mininterval=5)
    for number, (query_id, scope_id, task_input, query_text) in enumerate(rows):
        ranked = rankings.get(query_id, [])
        documents = texts.of(scope_id, ranked, query_id) if ranked else []
        for k, prompt in builder.prompts(ks, task_input, query_text, documents, query_id):
            if number % _CHECK_EVERY == 0:
                whole = builder.tokenizer.whole(prompt.text)
                if not np.array_equal(prompt.ids, whole):
                    raise _InexactError(f"query {query_id!r}, k={k}: pieces give other ids")
            prompts[k].append((query_id, [ranked[rank] for rank in prompt.ranks], prompt))
    return prompts


class DocumentTexts:
    """The documents' texts and targets, found by scope and id.

    Args:
        documents: columns document_id, scope_id, text, target; a scope's documents contiguous.
    """

    def __init__(self, documents: pa.Table) -> None:
        self._texts, self._targets = documents["text"], documents["target"]
        self._document_ids = documents["document_id"]
        scopes = documents["scope_id"].to_pylist()
        starts = [i for i, scope in enumerate(scopes) if i == 0 or scopes[i - 1] != scope]
        ends = [*starts[1:], len(scopes)]
        self._ranges = {
            scopes[start]: (start, end) for start, end in zip(starts, ends, strict=True)
        }
        if len(self._ranges) != len(starts):
            raise ValueError("the documents of a scope are not contiguous")
        # Of the scope that was asked for last: queries of one scope stand together, or share all.
        self._scope: str | None = None
        self._rows: dict[str, int] = {}

    def of(
        self, scope_id: str, document_ids: Sequence[str], query_id: str
    ) -> list[tuple[str, str]]:
        """(text, target) of some documents of a scope. Raises UserError for an unknown one."""
        if scope_id != self._scope:
            start, end = self._ranges.get(scope_id, (0, 0))
            ids = self._document_ids.slice(start, end - start).to_pylist()
            self._scope, self._rows = scope_id, {one: start + i for i, one in enumerate(ids)}
        try:
            rows = [self._rows[one] for one in document_ids]
        except KeyError as error:
            raise UserError(
                f"run: query {query_id!r} ranks document {error}, which is not among those of its "
                f"scope, {scope_id!r}."
            ) from None
        return [(self._texts[row].as_py(), self._targets[row].as_py()) for row in rows]


def prompt_hash(ids: np.ndarray) -> str:
    """SHA-256 (hex) of token ids as little-endian 32-bit integers."""
    return hashlib.sha256(np.ascontiguousarray(ids, dtype="<i4").tobytes()).hexdigest()


def _rankings(run: pa.Table | None) -> dict[str, list[str]]:
    rankings: dict[str, list[str]] = {}
    if run is not None:
        columns = (run[name].to_pylist() for name in ("query_id", "document_id"))
        for query_id, document_id in zip(*columns, strict=True):
            rankings.setdefault(query_id, []).append(document_id)
    return rankings


def _table(
    k: K, rows: Sequence[tuple[str, list[str], Prompt]], continuations: Sequence[list]
) -> pa.Table:
    query_ids = [query_id for query_id, _, _ in rows]
    prompts = [prompt for _, _, prompt in rows]
    lengths = [len(prompt.ids) for prompt in prompts]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    values = np.concatenate([prompt.ids for prompt in prompts]) if prompts else np.empty(0)
    columns = {
        "query_id": query_ids,
        "k": [str(k)] * len(rows),
        "prompt": [prompt.text for prompt in prompts],
        "token_ids": pa.ListArray.from_arrays(offsets, pa.array(values, pa.int32())),
        "n_tokens": lengths,
        "document_ids": [document_ids for _, document_ids, _ in rows],
        "dropped": [prompt.dropped for prompt in prompts],
        "truncated": [prompt.truncated for prompt in prompts],
        "prompt_hash": [prompt_hash(prompt.ids) for prompt in prompts],
        "continuations": continuations,
    }
    return pa.table(columns, schema=PROMPT_SCHEMA)


def _log_summary(k: K, prompts: Sequence[Prompt]) -> None:
    lengths = [len(prompt.ids) for prompt in prompts] or [0]
    wanted = 0 if k.fills else k.number
    log.info(
        "k=%s: %d prompts, %.0f tokens on average, %d at most; %.1f documents kept on average, %d "
        "dropped in %d prompts, %d queries with fewer than k in all; %d queries truncated",
        k,
        len(prompts),
        np.mean(lengths),
        max(lengths),
        np.mean([len(prompt.ranks) for prompt in prompts] or [0]),
        sum(prompt.dropped for prompt in prompts),
        sum(prompt.dropped > 0 for prompt in prompts),
        sum(len(prompt.ranks) + prompt.dropped < wanted for prompt in prompts),
        sum(prompt.truncated for prompt in prompts),
    )
