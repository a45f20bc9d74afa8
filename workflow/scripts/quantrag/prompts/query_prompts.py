"""The prompts of one query: rendered around its documents, packed, truncated as the last resort."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from quantrag.errors import UserError
from quantrag.grid import K
from quantrag.prompts.chat_templates import ChatFormat
from quantrag.prompts.order import BEST_FIRST, DocumentOrder
from quantrag.prompts.packing import RankedPrompt, fitting_when_counted_twice, largest
from quantrag.prompts.styles import PromptStyle
from quantrag.prompts.tokenization import GapTokenizer

log = logging.getLogger(__name__)

# Stands for the documents while the text around them is rendered; private-use characters, so that
# no chat template and no data has them.
_MARK = "\ue000documents\ue001"


@dataclass(frozen=True)
class Prompt:
    """One finished prompt: its text, its ids (int32) and what is in it.

    `ranks`: of the documents in it, from 0, in the order in which they stand.
    """

    text: str
    ids: np.ndarray
    ranks: Sequence[int]
    dropped: int
    truncated: bool


class PromptBuilder:
    """Builds the prompts of one query after another. Arguments as for `build_prompts`."""

    def __init__(
        self,
        style: PromptStyle,
        chat: ChatFormat,
        context: int,
        max_new_tokens: int,
        packing: str,
        order: DocumentOrder = BEST_FIRST,
    ) -> None:
        self._style = style
        self._order = order
        self._chat = chat
        self._context = context
        self._max_new_tokens = max_new_tokens
        self.tokenizer = GapTokenizer(chat.tokenizer, chat.add_special_tokens)
        # The released code counts the bare messages, with the tokenizer's special tokens.
        self._bare_tokenizer = GapTokenizer(chat.tokenizer, True) if packing == "paper" else None
        if not self.tokenizer.cuts:
            log.info(
                "%s: its tokenizer merges across words: whole prompts are tokenized (slower)",
                chat.name,
            )
        self._check_special_tokens()

    def _check_special_tokens(self) -> None:
        """Say what the tokenizer and the chat template do to the beginning and the end of prompts.

        Raises:
            UserError: prompts would begin with BOS twice.
        """
        tokenizer, name = self._chat.tokenizer, self._chat.name
        if len(self.tokenizer.left_out):
            log.warning(
                "%s: its tokenizer puts %s after every text; left out, or there would be nothing "
                "to answer",
                name,
                " ".join(map(str, tokenizer.convert_ids_to_tokens(self.tokenizer.left_out))),
            )
        ids = self.tokenizer.whole(self._chat.render(self._style.system, "x")).tolist()
        bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
        if bos is not None and ids[:2] == [bos, bos]:
            raise UserError(
                f"models.{name}: prompts would begin with {tokenizer.bos_token} twice, as no model "
                "was trained: its tokenizer adds it to what the chat template has written, or the "
                "template writes it twice. Mend it in a copy of the checkpoint."
            )
        if eos is not None and ids[-1:] == [eos]:
            log.warning(
                "%s: its chat template ends prompts with %s, the end of a text, and not with the "
                "beginning of an answer (add_generation_prompt): answers may begin with one",
                name,
                tokenizer.eos_token,
            )

    def stop_cutting(self) -> None:
        """From now on, tokenize whole prompts instead of pieces."""
        for tokenizer in (self.tokenizer, self._bare_tokenizer):
            if tokenizer is not None:
                tokenizer.cuts = False

    def prompts(
        self,
        ks: Sequence[K],
        task_input: str,
        query: str,
        documents: Sequence[tuple[str, str]],
        query_id: str = "",
    ) -> Iterable[tuple[K, Prompt]]:
        """Yield (k, prompt) of one query; `documents` are (text, target) in rank order."""
        most = max(k.asked(len(documents)) for k in ks)
        rendered = self._documents(documents, range(most))
        if rendered:
            ranked = self._ranked(self._render(_MARK, query, task_input), rendered)

        @cache
        def reordered(n: int) -> tuple[str, np.ndarray]:
            ranks = self._order.ranks(query_id, n)
            block = self._style.separator.join(self._documents(documents, ranks))
            text = self._render(block, query, task_input)
            return text, self.tokenizer.whole(text)

        for k in ks:
            asked = k.asked(len(rendered))
            budget = k.budget(self._context, self._max_new_tokens)
            n = ranked.fitting(budget, asked) if asked else 0
            if self._order.kind != "best_first":
                # About as many, but the seams between the documents are others.
                while n > 1 and len(reordered(n)[1]) > budget:
                    n -= 1
                while 0 < n < asked and len(reordered(n + 1)[1]) <= budget:
                    n += 1
            if n and self._bare_tokenizer:
                window = k.window(self._context)
                n = min(n, self._fitting_in_paper(window, n, query, task_input, documents))
            if n:
                text = self._render(self._style.separator.join(rendered[:n]), query, task_input)
                if text != ranked.text(n):
                    raise UserError(
                        f"models.{self._chat.name}: the chat template changes the text of the "
                        "documents inside a message, so the prompt's length cannot be planned. "
                        "Allowed: a template that leaves messages as they are, or chat_template: "
                        "none."
                    )
                ids = ranked.ids(n)
                if self._order.kind != "best_first":
                    text, ids = reordered(n)
                prompt = Prompt(text, ids, self._order.ranks(query_id, n), asked - n, False)
            else:
                prompt = self._without_documents(budget, query, task_input, asked)
            yield k, prompt

    def _documents(self, documents: Sequence[tuple[str, str]], ranks: Iterable[int]) -> list[str]:
        """Some documents, rendered as they stand in a prompt in the order of `ranks`."""
        return [
            self._style.document(*documents[rank], number)
            for number, rank in enumerate(ranks, start=1)
        ]

    def _without_documents(self, budget: int, query: str, task_input: str, asked: int) -> Prompt:
        text = self._render("", query, task_input)
        ids = self.tokenizer.whole(text)
        if len(ids) <= budget:
            return Prompt(text, ids, (), asked, False)

        def render(n_characters: int) -> str:
            return self._render("", *shortened(query, task_input, n_characters))

        n = largest(lambda m: len(self.tokenizer.whole(render(m))) <= budget, len(query))
        text = render(n)
        ids = self.tokenizer.whole(text)
        if len(ids) > budget:
            raise UserError(
                f"models.{self._chat.name}.context: the prompt without documents and with an empty "
                f"query has {len(ids)} tokens; the window, less generation.max_new_tokens "
                f"({self._max_new_tokens}), leaves {budget}."
            )
        return Prompt(text, ids, (), asked, True)

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
        rendered = self._documents(documents, range(limit))
        raw = [
            style.raw_document(*document, number)
            for number, document in enumerate(documents[:limit], start=1)
        ]
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
                f"models.{self._chat.name}: the chat template drops or repeats the user's message. "
                "Allowed: a template that prints it once."
            )
        return RankedPrompt(self.tokenizer, head, rendered, self._style.separator, tail)

    def _render(self, documents: str, query: str, task_input: str) -> str:
        return self._chat.render(self._style.system, self._style.user(documents, query, task_input))


def shortened(query: str, task_input: str, n_characters: int) -> tuple[str, str]:
    """The first `n_characters` of a query, and LaMP's input with the query cut in the same way."""
    start = task_input.rfind(query)
    if start < 0:
        # LaMP-1's query is put together from two places of its input.
        kept = max(0, len(task_input) - (len(query) - n_characters))
        return query[:n_characters], task_input[:kept]
    end = start + len(query)
    return query[:n_characters], task_input[: start + n_characters] + task_input[end:]
