"""Runs and documents -> the prompts of one model: rendered, packed, tokenized.

Precision is no argument: every precision of a model reads the very same prompts.
"""

import hashlib
import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from quantrag.chat_templates import ChatFormat
from quantrag.errors import UserError
from quantrag.packing import RankedPrompt, fitting_when_counted_twice, largest
from quantrag.prompt_styles import PromptStyle
from quantrag.tokenization import GapTokenizer

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
    ]
)
_MAX_K = re.compile(r"max_([1-9][0-9]*)K")
# Stands for the documents while the text around them is rendered; private-use characters, so that
# no chat template and no data has them.
_MARK = "\ue000documents\ue001"


@dataclass(frozen=True)
class Prompt:
    """One finished prompt: its text, its ids (int32) and what is in it."""

    text: str
    ids: np.ndarray
    n_documents: int
    dropped: int
    truncated: bool


def build_prompts(
    queries: pa.Table,
    documents: pa.Table,
    run: pa.Table | None,
    ks: Sequence[str],
    style: PromptStyle,
    chat: ChatFormat,
    context: int,
    max_new_tokens: int,
    packing: str = "exact",
) -> pa.Table:
    """Build the prompts of every query for every k.

    Args:
        queries: columns query_id, user_id, input, query_text.
        documents: columns document_id, user_id, text, target; a user's documents contiguous.
        run: columns query_id, rank, document_id, sorted by query and rank; None for k = 0.
        ks: numbers of documents as strings: "0", "3", or "max_nK" for as many as fit into
            min(n * 1024, context) tokens beside the answer.
        style: the templates of the task.
        chat: the model's chat format, which also holds its tokenizer.
        context: context length of the model in tokens.
        max_new_tokens: tokens kept free for the answer.
        packing: "exact", or "paper" for the released code's rule, which counts documents twice.

    Returns:
        Columns of `PROMPT_SCHEMA`, sorted by the order of `ks`, then of `queries`. A k that a
        profile can't fill gives all of its documents.

    Raises:
        UserError: no room for even an empty query, or a run that names unknown documents.
    """
    if run is None and list(ks) != ["0"]:
        raise ValueError(f"k = {', '.join(ks)} needs a run")
    profiles = Profiles(documents)
    rankings = _rankings(run)
    builder = _Builder(style, chat, context, max_new_tokens, packing)
    prompts: dict[str, list[tuple[str, list[str], Prompt]]] = {k: [] for k in ks}
    rows = zip(
        *(queries[name].to_pylist() for name in ("query_id", "user_id", "input", "query_text")),
        strict=True,
    )
    for query_id, user_id, task_input, query_text in tqdm(
        rows, total=len(queries), unit="query", mininterval=5
    ):
        ranked = rankings.get(query_id, [])
        texts_and_targets = profiles.texts(user_id, ranked, query_id) if ranked else []
        for k, prompt in builder.prompts(ks, task_input, query_text, texts_and_targets):
            prompts[k].append((query_id, ranked[: prompt.n_documents], prompt))
    for k in ks:
        _log_summary(k, [prompt for _, _, prompt in prompts[k]])
    return pa.concat_tables(_table(k, rows) for k, rows in prompts.items())


class _Builder:
    """Builds the prompts of one query after another."""

    def __init__(
        self,
        style: PromptStyle,
        chat: ChatFormat,
        context: int,
        max_new_tokens: int,
        packing: str,
    ) -> None:
        self._style = style
        self._chat = chat
        self._context = context
        self._max_new_tokens = max_new_tokens
        self._packing = packing
        self._tokenizer = GapTokenizer(chat.tokenizer, chat.add_special_tokens)
        # The released code counts the bare messages, with the tokenizer's special tokens.
        self._bare_tokenizer = GapTokenizer(chat.tokenizer, True)
        if not self._tokenizer.cuts:
            log.info("the tokenizer merges across words: whole prompts are tokenized (slower)")

    def prompts(
        self,
        ks: Iterable[str],
        task_input: str,
        query: str,
        documents: Sequence[tuple[str, str]],
    ) -> Iterable[tuple[str, Prompt]]:
        """Yield (k, prompt) of one query; `documents` are (text, target) in rank order."""
        rendered = [self._style.document(*document) for document in documents]
        if rendered:
            ranked = self._ranked(self._render(_MARK, query, task_input), rendered)
        for k in ks:
            asked = len(rendered) if k.startswith("max") else min(int(k), len(rendered))
            budget = prompt_budget(k, self._context, self._max_new_tokens)
            n = ranked.fitting(budget, asked) if asked else 0
            if n and self._packing == "paper":
                window = budget + self._max_new_tokens
                n = min(n, self._fitting_in_paper(window, n, query, task_input, documents))
            if n:
                text = self._render(self._joined(rendered[:n]), query, task_input)
                if text != ranked.text(n):
                    raise UserError(
                        "the chat template changes the text of the documents inside a prompt, so "
                        "its length cannot be planned. Allowed: a template that leaves the content "
                        "of messages as it is, or chat_template: none."
                    )
                prompt = Prompt(text, ranked.ids(n), n, asked - n, False)
            else:
                prompt = self._without_documents(budget, query, task_input, asked)
            yield k, prompt

    def _without_documents(self, budget: int, query: str, task_input: str, asked: int) -> Prompt:
        text = self._render("", query, task_input)
        ids = self._tokenizer.whole(text)
        if len(ids) <= budget:
            return Prompt(text, ids, 0, asked, False)

        def render(n_characters: int) -> str:
            return self._render("", *shortened(query, task_input, n_characters))

        n = largest(lambda m: len(self._tokenizer.whole(render(m))) <= budget, len(query))
        text = render(n)
        ids = self._tokenizer.whole(text)
        if len(ids) > budget:
            raise UserError(
                f"models: the prompt without documents and with an empty query has {len(ids)} "
                f"tokens, but context and max_new_tokens ({self._max_new_tokens}) leave {budget}."
            )
        return Prompt(text, ids, 0, asked, True)

    def _fitting_in_paper(
        self,
        window: int,
        limit: int,
        query: str,
        task_input: str,
        documents: Sequence[tuple[str, str]],
    ) -> int:
        style = self._style
        system = [] if style.system is None else [style.system]
        head, tail = "\n".join([*system, style.user(_MARK, query, task_input)]).split(_MARK)
        empty = "\n".join([*system, style.user("", query, task_input)])
        rendered = [style.document(*document) for document in documents[:limit]]
        raw = [style.raw_document(*document) for document in documents[:limit]]
        return fitting_when_counted_twice(
            window,
            len(self._bare_tokenizer.whole(empty)),
            RankedPrompt(self._bare_tokenizer, head, rendered, style.separator, tail),
            RankedPrompt(self._bare_tokenizer, "", raw, style.separator, query),
            limit,
        )

    def _ranked(self, marked: str, rendered: Sequence[str]) -> RankedPrompt:
        head, found, tail = marked.partition(_MARK)
        if not found or _MARK in tail:
            raise UserError(
                "the chat template drops or repeats the user's message. Allowed: a template that "
                "prints it once."
            )
        return RankedPrompt(self._tokenizer, head, rendered, self._style.separator, tail)

    def _joined(self, rendered: Sequence[str]) -> str:
        return self._style.separator.join(rendered)

    def _render(self, documents: str, query: str, task_input: str) -> str:
        return self._chat.render(self._style.system, self._style.user(documents, query, task_input))


class Profiles:
    """The documents of every user, found by (user_id, document_id)."""

    def __init__(self, documents: pa.Table) -> None:
        self._texts = documents["text"]
        self._targets = documents["target"]
        self._document_ids = documents["document_id"]
        users = documents["user_id"].to_pylist()
        starts = [i for i, user in enumerate(users) if i == 0 or users[i - 1] != user]
        ends = [*starts[1:], len(users)]
        self._ranges = {
            users[start]: (start, end) for start, end in zip(starts, ends, strict=False)
        }
        if len(self._ranges) != len(starts):
            raise ValueError("the documents of a user are not contiguous")

    def texts(
        self, user_id: str, document_ids: Sequence[str], query_id: str
    ) -> list[tuple[str, str]]:
        """(text, target) of some documents of one user. Raises UserError for an unknown one."""
        start, end = self._ranges.get(user_id, (0, 0))
        columns = (self._document_ids, self._texts, self._targets)
        ids, texts, targets = (column.slice(start, end - start).to_pylist() for column in columns)
        by_id = {one: pair for one, *pair in zip(ids, texts, targets, strict=True)}
        try:
            return [tuple(by_id[one]) for one in document_ids]
        except KeyError as error:
            raise UserError(
                f"run: query {query_id!r} ranks document {error}, which is not in the profile of "
                f"user {user_id!r}."
            ) from None


def prompt_budget(k: str, context: int, max_new_tokens: int) -> int:
    """Most tokens of a prompt: what the context, or the window of max_nK, leaves for it."""
    window = _MAX_K.fullmatch(k)
    return (min(int(window[1]) * 1024, context) if window else context) - max_new_tokens


def shortened(query: str, task_input: str, n_characters: int) -> tuple[str, str]:
    """The first `n_characters` of a query, and LaMP's input with the query cut in the same way."""
    start = task_input.rfind(query)
    if start < 0:
        # LaMP-1's query is put together from two places of its input.
        kept = max(0, len(task_input) - (len(query) - n_characters))
        return query[:n_characters], task_input[:kept]
    end = start + len(query)
    return query[:n_characters], task_input[: start + n_characters] + task_input[end:]


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


def _table(k: str, rows: Sequence[tuple[str, list[str], Prompt]]) -> pa.Table:
    query_ids = [query_id for query_id, _, _ in rows]
    prompts = [prompt for _, _, prompt in rows]
    lengths = [len(prompt.ids) for prompt in prompts]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    values = np.concatenate([prompt.ids for prompt in prompts]) if prompts else np.empty(0)
    columns = {
        "query_id": query_ids,
        "k": [k] * len(rows),
        "prompt": [prompt.text for prompt in prompts],
        "token_ids": pa.ListArray.from_arrays(offsets, pa.array(values, pa.int32())),
        "n_tokens": lengths,
        "document_ids": [document_ids for _, document_ids, _ in rows],
        "dropped": [prompt.dropped for prompt in prompts],
        "truncated": [prompt.truncated for prompt in prompts],
        "prompt_hash": [prompt_hash(prompt.ids) for prompt in prompts],
    }
    return pa.table(columns, schema=PROMPT_SCHEMA)


def _log_summary(k: str, prompts: Sequence[Prompt]) -> None:
    lengths = [len(prompt.ids) for prompt in prompts] or [0]
    log.info(
        "k=%s: %d prompts, %.0f tokens on average, %d at most; %.1f documents kept on average; "
        "%d queries truncated; %d documents dropped in %d prompts",
        k,
        len(prompts),
        np.mean(lengths),
        max(lengths),
        np.mean([prompt.n_documents for prompt in prompts] or [0]),
        sum(prompt.truncated for prompt in prompts),
        sum(prompt.dropped for prompt in prompts),
        sum(prompt.dropped > 0 for prompt in prompts),
    )
