"""The token ids that a model would have to write after a prompt to give a certain answer.

A text's first token may depend on what stands before it: after "Title:" the model writes " A", not
"A", and some tokenizers join the end of a prompt and the start of an answer to one token. So an
answer is tokenized together with the end of its prompt. It has no stop token: how likely the model
is to end there is another question.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from quantrag.prompts.tokenization import WORD_GAP, GapTokenizer


class ContinuationIds(NamedTuple):
    """Token ids (int32) of an answer after its prompt.

    `merges`: prompt and answer together have other ids than one after the other, because the
    tokenizer joins them at the seam. The ids are then those of the answer by itself, which
    the model would rarely write.
    """

    ids: np.ndarray
    merges: bool


class ContinuationTokenizer:
    """Tokenizes answers after prompts; what prompts end with is looked at once.

    Args:
        tokenizer: the one that tokenized the prompts.
        lead: what stands between prompt and answer, such as a space (`ChatFormat.lead`).
    """

    def __init__(self, tokenizer: GapTokenizer, lead: str = "") -> None:
        self._tokenizer = tokenizer
        self._lead = lead
        self._known: dict[tuple[str, str], ContinuationIds] = {}

    def after(self, prompt: str, answers: Sequence[str]) -> list[ContinuationIds]:
        """The ids of each answer after a prompt.

        Args:
            prompt: the finished prompt's text.
            answers: texts with at least one token each.
        """
        end = self._end(prompt)
        for answer in answers:
            if (end, answer) not in self._known:
                self._known[end, answer] = self._after(end, answer)
        return [self._known[end, answer] for answer in answers]

    def _end(self, prompt: str) -> str:
        """The prompt from its last word gap on; all of it where it can't be cut."""
        if not self._tokenizer.cuts:
            return prompt
        # The end is what the template writes, so the last gap is near.
        for start in (max(0, len(prompt) - 400), 0):
            gaps = [match.start() for match in WORD_GAP.finditer(prompt, start)]
            if gaps:
                return prompt[gaps[-1] :]
        return prompt

    def _after(self, end: str, answer: str) -> ContinuationIds:
        before, both = self._ids(end), self._ids(end + self._lead + answer)
        if len(both) > len(before) and np.array_equal(both[: len(before)], before):
            return ContinuationIds(both[len(before) :], False)
        return ContinuationIds(self._tokenizer.bare(self._lead + answer), True)

    def _ids(self, text: str) -> np.ndarray:
        if not self._tokenizer.cuts:
            return self._tokenizer.bare(text)
        # Only a prompt without any word gap is here from its start on.
        (ids,) = self._tokenizer.pieces([text], starts_text=not text.startswith(" "))
        return ids
