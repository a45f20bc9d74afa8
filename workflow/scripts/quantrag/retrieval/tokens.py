"""Texts as numbers: words or characters, told apart in compiled code."""

from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

N_CODE_POINTS = 0x110000


class Vocabulary(Protocol):
    """The distinct tokens of some texts, numbered from 0."""

    def __len__(self) -> int: ...

    def look_up(self, texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the texts' tokens on end (-1: not in the vocabulary), tokens of each text."""
        ...


def words_of(texts: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """The words of all texts on end, and how many each text has.

    They are what Python's `str.split()` gives: Arrow's kernel splits at the same characters (tested
    for all of Unicode), but gives empty words where white space begins, ends or repeats.
    """
    split = pc.utf8_split_whitespace(texts)
    words = split.flatten()
    lengths = pc.list_value_length(split).to_numpy(zero_copy_only=False).astype(np.int64)
    empty = pc.equal(words, pa.scalar("", words.type))
    if pc.any(empty).as_py():
        kept = pc.invert(empty)
        # Words before each boundary, kept words before it, and the difference of neighbours.
        total = np.append(0, np.cumsum(kept.to_numpy(zero_copy_only=False)))
        lengths = np.diff(total[np.append(0, np.cumsum(lengths))])
        words = words.filter(kept)
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
