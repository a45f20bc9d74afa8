"""Texts as numbers: words or characters, told apart in compiled code."""

from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

N_CODE_POINTS = 0x110000
# All of Python's white space but the blank; blanks that begin or end the text or stand together.
UNUSUAL_WHITE_SPACE = (
    r"[\t-\r\x1c-\x1f\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]"
    r"|  |^ | $"
)


class Vocabulary(Protocol):
    """The distinct tokens of some texts, numbered from 0."""

    def __len__(self) -> int: ...

    def look_up(self, texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the texts' tokens on end (-1: not in the vocabulary), tokens of each text."""
        ...


def words_of(texts: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """The words of all texts on end, and how many each text has: those of Python's `str.split()`.

    Arrow splits at single blanks. Texts with other white space are brought to that form by Python
    first. (Arrow's own `utf8_split_whitespace` goes wrong where several kinds meet at the end.)
    """
    unusual = pc.match_substring_regex(texts, UNUSUAL_WHITE_SPACE)
    if pc.any(unusual).as_py():
        usual = [" ".join(text.split()) for text in texts.filter(unusual).to_pylist()]
        texts = pc.replace_with_mask(texts, unusual, pa.array(usual, texts.type))
    split = pc.split_pattern(texts, " ")
    words = split.flatten()
    # An empty text has one empty word.
    lengths = pc.if_else(pc.equal(pc.binary_length(texts), 0), 0, pc.list_value_length(split))
    lengths = lengths.to_numpy(zero_copy_only=False).astype(np.int64)
    if lengths.sum() < len(words):
        words = words.filter(pc.not_equal(words, pa.scalar("", words.type)))
    return words, lengths


class Words:
    """White space separates; case and punctuation count, as in LaMP."""

    def __init__(self, words: pa.Array):
        self.words = words

    @classmethod
    def of(cls, texts: pa.Array) -> tuple["Words", np.ndarray, np.ndarray]:
        """The vocabulary of some texts, their tokens' numbers on end, tokens of each text."""
        words, lengths = words_of(texts)
        encoded = words.dictionary_encode()
        return cls(encoded.dictionary), encoded.indices.to_numpy(zero_copy_only=False), lengths

    def __len__(self) -> int:
        return len(self.words)

    def look_up(self, texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        words, lengths = words_of(texts)
        numbers = pc.fill_null(pc.index_in(words, value_set=self.words), -1)
        return numbers.to_numpy(zero_copy_only=False), lengths


class Characters:
    """Each Unicode code point is a token, white space too: what iterating over a string gives."""

    def __init__(self, numbers: np.ndarray, size: int):
        self.numbers, self.size = numbers, size

    @classmethod
    def of(cls, texts: pa.Array) -> tuple["Characters", np.ndarray, np.ndarray]:
        """The vocabulary of some texts, their tokens' numbers on end, tokens of each text."""
        codes, lengths = code_points(texts)
        present = np.zeros(N_CODE_POINTS, dtype=bool)
        present[codes] = True
        numbers = np.where(present, np.cumsum(present) - 1, -1).astype(np.int32)
        return cls(numbers, int(present.sum())), numbers[codes], lengths

    def __len__(self) -> int:
        return self.size

    def look_up(self, texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        codes, lengths = code_points(texts)
        return self.numbers[codes], lengths


def code_points(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The code points (uint32) of all texts on end, and how many each text has."""
    joined = "".join(texts.to_pylist()).encode("utf-32-le")
    lengths = pc.utf8_length(texts).to_numpy(zero_copy_only=False).astype(np.int64)
    return np.frombuffer(joined, dtype=np.uint32), lengths


VOCABULARIES = {"words": Words, "characters": Characters}
