"""Packing: the ids of the pieces are those of the whole prompt, for every kind of tokenizer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompt_tokenizers import KINDS, gap_tokenizer, tokenizer
from quantrag.prompts.packing import RankedPrompt, fitting_when_counted_twice, largest

WORDS = [
    "a",
    "the",
    "product",
    "score",
    "Great",
    "paper's",
    "don't",
    "well-known",
    "e.g.",
    "3.14",
    "1,000",
    "(2019)",
    "user@mail.org",
    "café",
    "café",
    "naïve",
    "中文字",
    "ไทย",
    "да",
    "ﬁne",
    "😀🏽",
    "▁x",
    "Ġx",
    "<s>",
    "</s>",
    "[INST]",
    "<|im_start|>",
    "<|im_end|>",
    "[SEP]",
    "<0x0A>",
]
texts = st.one_of(
    st.lists(
        st.sampled_from([*WORDS, " ", "  ", "\n", "\t", "\r\n", "\u00a0", ".", '"', ":", ""]),
        max_size=25,
    ).map(" ".join),
    st.lists(st.sampled_from([*WORDS, " ", "\n", "a b"]), max_size=25).map("".join),
    st.text(max_size=30),
)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=40)
@given(
    documents=st.lists(texts, min_size=1, max_size=6),
    head=texts,
    tail=texts,
    separator=st.sampled_from(["", ", and ", "\n"]),
    add_special_tokens=st.booleans(),
    budget=st.integers(0, 400),
)
def test_ids_and_fitting_equal_the_whole(
    kind, documents, head, tail, separator, add_special_tokens, budget
):
    gaps = gap_tokenizer(kind, add_special_tokens)
    ranked = RankedPrompt(gaps, head, documents, separator, tail)
    fitting = ranked.fitting(budget, len(documents))
    whole = []
    for n in range(1, len(documents) + 1):
        text = head + separator.join(documents[:n]) + tail
        ids = tokenizer(kind)(text, add_special_tokens=add_special_tokens)["input_ids"]
        ids = ids[: len(ids) - len(gaps.left_out)]
        assert ranked.text(n) == text
        assert ranked.ids(n).tolist() == ids
        assert ranked.ids(n).dtype == np.int32
        assert ranked.count(n) == len(ids)
        whole.append(len(ids))
    expected = next((n for n, count in enumerate(whole) if count > budget), len(whole))
    if whole == sorted(whole):
        assert fitting == expected


def test_pieces_are_only_what_a_budget_needs():
    gaps = gap_tokenizer("digits", False)
    seen = []

    class Spy:
        cuts, prefix, whole = gaps.cuts, gaps.prefix, gaps.whole

        def pieces(self, texts, starts_text=False):
            seen.extend(texts)
            return gaps.pieces(texts, starts_text)

    documents = [f"document {number} is about a method of the model" for number in range(1000)]
    ranked = RankedPrompt(Spy(), "head ", documents, "\n", " the tail")
    n = ranked.fitting(300, 1000)
    assert 5 < n < 50
    assert sum(map(len, seen)) < 2 * len(ranked.text(n))


def test_limit_is_kept():
    documents = ["one word", "two words", "three words"]
    ranked = RankedPrompt(gap_tokenizer("digits", False), "", documents, " ", "")
    assert ranked.fitting(10_000, 2) == 2
    assert ranked.fitting(10_000, 3) == 3
    assert ranked.fitting(0, 3) == 0


@pytest.mark.parametrize("kind", ["demo", "llama-2", "superword"])
def test_counted_twice_equals_the_released_rule(kind):
    """The rule in words: (messages so far) + (documents with the next one, then the query)."""
    tokenize = tokenizer(kind)
    gaps = gap_tokenizer(kind, True)
    documents = [f"\nReview:\nThe product number {n} is great\nScore:\n5\n" for n in range(40)]
    head, tail, query, empty = "\nHere are pairs\n", "\n\nReview:\nWhat", "What", "Give a score"

    def count(text: str) -> int:
        return len(tokenize(text).input_ids)

    for window in (0, 50, 400, 800, 100_000):
        kept = 0
        for number in range(len(documents)):
            messages = head + "".join(documents[:kept]) + tail if kept else empty
            if count(messages) + count("".join(documents[: number + 1]) + query) >= window:
                break
            kept += 1
        messages = RankedPrompt(gaps, head, documents, "", tail)
        examples = RankedPrompt(gaps, "", documents, "", query)
        n = fitting_when_counted_twice(window, count(empty), messages, examples, len(documents))
        assert n == kept


@given(st.integers(0, 50), st.integers(0, 50))
def test_largest(limit, last):
    assert largest(lambda n: n <= last, limit) == min(limit, last)
