"""How many whole documents fit in a prompt, counted on the exact ids of the finished prompt.

The prompt is `head + documents + tail`, the documents in rank order. Each document is tokenized
once, and the counts of all the query's prompts follow from the pieces
(`quantrag.prompts.tokenization` says why that is exact). The piece of a document runs from its
first word gap to the next document's.
"""

from collections.abc import Callable, Sequence

import numpy as np

from quantrag.prompts.tokenization import WORD_GAP, GapTokenizer

# First guess of how much text is worth tokenizing for a budget; the query's own ratio follows.
_CHARACTERS_PER_TOKEN = 4.0


class RankedPrompt:
    """The prompts of one query for every number of documents from 1 up.

    Args:
        tokenizer: tokenizes texts and pieces of texts.
        head: text before the documents.
        documents: the documents in rank order, as they stand in the prompt.
        separator: what stands between two documents.
        tail: text after the documents.
    """

    def __init__(
        self,
        tokenizer: GapTokenizer,
        head: str,
        documents: Sequence[str],
        separator: str,
        tail: str,
    ) -> None:
        self._tokenizer = tokenizer
        self._head = head
        self._documents = documents
        self._separator = separator
        self._tail = tail
        gap = WORD_GAP.search(tail) if tokenizer.cuts else None
        self._tail_start = tail if gap is None else tail[: gap.start()]
        self._tail_ids = tokenizer.pieces([] if gap is None else [tail[gap.start() :]])
        self._n_fixed = sum(map(len, [tokenizer.prefix, *self._tail_ids]))
        # Documents read so far, and their text after the last cut.
        self._n_read = 0
        self._open = head
        # Per cut: index of its document, place in the document, ids and characters up to it.
        self._cut_documents: list[int] = []
        self._cut_places: list[int] = []
        self._cut_counts: list[int] = []
        self._cut_characters = 0
        self._pieces: list[np.ndarray] = []
        self._ends: dict[int, np.ndarray] = {}

    def text(self, n: int) -> str:
        """The prompt with the first `n` documents, n >= 1."""
        return self._head + self._separator.join(self._documents[:n]) + self._tail

    def ids(self, n: int) -> np.ndarray:
        """Ids (int32) of the prompt with the first `n` documents, n >= 1."""
        if not self._tokenizer.cuts:
            return self._end(n)
        pieces = self._pieces[: self._n_cuts(n)]
        return np.concatenate([self._tokenizer.prefix, *pieces, self._end(n), *self._tail_ids])

    def count(self, n: int) -> int:
        """Tokens of the prompt with the first `n` documents, n >= 1."""
        if not self._tokenizer.cuts:
            return len(self._end(n))
        return self._at_least(n) + len(self._end(n))

    def fitting(self, budget: int, limit: int) -> int:
        """How many of the first `limit` documents fit into `budget` tokens, in rank order.

        The same number as adding one document after another until the prompt is too long.
        """
        if not self._tokenizer.cuts:
            return largest(lambda n: self.count(n) <= budget, limit)
        n = self._guess(budget, limit)
        while n > 0 and self.count(n) > budget:
            n -= 1
        while n < limit and self._at_least(n + 1) <= budget and self.count(n + 1) <= budget:
            n += 1
        return n

    def _guess(self, budget: int, limit: int) -> int:
        """At most this many documents fit: the ids up to the cut in the next one are too many."""
        room = budget - self._n_fixed
        while self._n_read < limit and (not self._cut_counts or self._cut_counts[-1] <= room):
            counted = self._cut_counts[-1] if self._cut_counts else 0
            ratio = self._cut_characters / counted if counted else _CHARACTERS_PER_TOKEN
            n, characters = self._n_read, 0
            while n < limit and characters <= (room - counted) * ratio:
                characters += len(self._documents[n])
                n += 1
            self._read(max(n, self._n_read + 1))
        too_long = int(np.searchsorted(self._cut_counts, room, side="right"))
        return min([limit, *self._cut_documents[too_long : too_long + 1]])

    def _at_least(self, n: int) -> int:
        """Tokens of the prompt with the first `n` documents, but for those after the last cut."""
        n_cuts = self._n_cuts(n)
        return self._n_fixed + (self._cut_counts[n_cuts - 1] if n_cuts else 0)

    def _n_cuts(self, n: int) -> int:
        """How many cuts lie in the first `n` documents."""
        self._read(n)
        return int(np.searchsorted(self._cut_documents, n, side="left"))

    def _read(self, n: int) -> None:
        """Tokenize up to the first gap of document `n`, one piece for each document with a gap."""
        if n <= self._n_read:
            return
        texts = []
        starts_text = not self._pieces
        for index in range(self._n_read, n):
            document = self._documents[index]
            if index:
                self._open += self._separator
            gap = WORD_GAP.search(document)
            if gap is None:
                self._open += document
                continue
            texts.append(self._open + document[: gap.start()])
            self._open = document[gap.start() :]
            self._cut_documents.append(index)
            self._cut_places.append(gap.start())
        self._n_read = n
        self._cut_characters += sum(map(len, texts))
        for piece in self._tokenizer.pieces(texts, starts_text):
            self._pieces.append(piece)
            counted = self._cut_counts[-1] if self._cut_counts else 0
            self._cut_counts.append(counted + len(piece))

    def _end(self, n: int) -> np.ndarray:
        """Ids from the last cut in the first `n` documents to the cut in the tail.

        Of the whole prompt where the tokenizer may not be cut.
        """
        if n in self._ends:
            return self._ends[n]
        if not self._tokenizer.cuts:
            ids = self._tokenizer.whole(self.text(n))
        elif n_cuts := self._n_cuts(n):
            documents = self._documents[self._cut_documents[n_cuts - 1] : n]
            text = self._separator.join(documents)[self._cut_places[n_cuts - 1] :]
            (ids,) = self._tokenizer.pieces([text + self._tail_start])
        else:
            text = self._head + self._separator.join(self._documents[:n])
            (ids,) = self._tokenizer.pieces([text + self._tail_start], starts_text=True)
        self._ends[n] = ids
        return ids


def fitting_when_counted_twice(
    window: int, n_empty: int, messages: RankedPrompt, examples: RankedPrompt, limit: int
) -> int:
    """How many documents the paper's released code (RAG/LAMP/run_exp.py) would keep.

    It adds a document while the tokens of the messages so far, which hold the documents so far,
    plus those of the documents with the new one and the query, stay below the window. Documents and
    query are thus counted twice, and no room is kept for the answer.

    Args:
        window: tokens; the context, or less for max_nK.
        n_empty: tokens of the messages without documents.
        messages: texts of the messages, joined by line breaks, without a chat template.
        examples: the documents followed by the query.
        limit: most documents.
    """

    def fits(n: int) -> bool:
        n_messages = messages.count(n - 1) if n > 1 else n_empty
        return n_messages + examples.count(n) < window

    return largest(fits, examples.fitting(window - n_empty - 1, limit))


def largest(fits: Callable[[int], bool], limit: int) -> int:
    """Largest n in 0..limit with `fits(n)`, where fitting numbers come first (0 always fits)."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
