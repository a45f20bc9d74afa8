"""Likelihoods of continuations, from what vLLM says of an answer or of a prompt that it reads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from quantrag.engines.base import Continuation, Likelihood


@dataclass(frozen=True)
class Reading:
    """Continuations of one stem, read after their prompt.

    Attributes:
        prompt: its token ids.
        continuations: at least one; they differ in their last token only.
        known: what the answer has said of the stem's beginning.
    """

    prompt: list[int]
    continuations: list[Continuation]
    known: Likelihood

    @property
    def stem(self) -> list[int]:
        """What the continuations have in common: all but their last token."""
        return self.continuations[0].stem

    def is_lost(self, cached_tokens: int) -> bool:
        """Whether a token of the stem that isn't known was predicted by a cached position.

        The cache holds whole blocks. Where one ends with the prompt or inside the stem, nothing is
        computed there and no logprob is known.
        """
        known = len(self.known.logprobs)
        return known < len(self.stem) and cached_tokens >= len(self.prompt) + known

    def likelihoods(self, output: Any) -> Iterator[Likelihood]:
        """The likelihood of each continuation, from the engine's finished output."""
        logprobs, top = list(self.known.logprobs), list(self.known.top)
        for place in range(len(logprobs), len(self.stem)):
            entries = output.prompt_logprobs[len(self.prompt) + place]
            _note(entries, self.stem[place], logprobs, top)
        (last,) = output.outputs[0].logprobs
        for continuation in self.continuations:
            own = Likelihood(continuation.key, list(logprobs), list(top))
            _note(last, continuation.token_ids[-1], own.logprobs, own.top)
            yield own


def _note(entries: Any, token: int, logprobs: list[float], top: list[bool]) -> None:
    """Append what a position says of a token; the most likely one is among its entries."""
    own = entries[token].logprob
    logprobs.append(float(own))
    top.append(own >= max(entry.logprob for entry in entries.values()))


def known_from(answer: Any, continuations: Sequence[Continuation]) -> dict[str, Likelihood]:
    """What a finished answer says of continuations, by their key.

    It read their tokens as far as it went the same way, and one further where the token at which
    they part was asked for.
    """
    known = {}
    for continuation in continuations:
        own = known[continuation.key] = Likelihood(continuation.key, [], [])
        for token, written, entries in zip(
            continuation.token_ids, answer.token_ids, answer.logprobs or [], strict=False
        ):
            if token not in entries:
                break
            _note(entries, token, own.logprobs, own.top)
            if token != written:
                break
    return known
