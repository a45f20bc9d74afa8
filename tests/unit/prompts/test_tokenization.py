"""Which tokenizers may be fed pieces, and what the pieces' ids are."""

import numpy as np
import pytest

import prompt_tokenizers
from prompt_tokenizers import KINDS, gap_tokenizer, tokenizer


@pytest.mark.parametrize("kind", KINDS)
def test_which_tokenizers_are_cut(kind):
    assert gap_tokenizer(kind, True).cuts == (kind not in prompt_tokenizers.NOT_CUT)


@pytest.mark.parametrize("kind", prompt_tokenizers.CUT)
def test_pieces_cut_at_word_gaps_make_up_the_whole(kind):
    gaps = gap_tokenizer(kind, True)
    first, *others = gaps.pieces(["A method", " for the", " score of 5."], starts_text=True)
    whole = gaps.whole("A method for the score of 5.")
    assert np.concatenate([gaps.prefix, first, *others]).tolist() == whole.tolist()
    assert whole.dtype == first.dtype == np.int32


def test_tokens_that_end_a_text_are_left_out():
    own = tokenizer("wordpiece")
    start, end = own.convert_tokens_to_ids(["[CLS]", "[SEP]"])
    gaps = gap_tokenizer("wordpiece", True)
    assert (gaps.prefix.tolist(), gaps.left_out.tolist()) == ([start], [end])
    assert own("the score")["input_ids"] == [*gaps.whole("the score"), end]
    assert gaps.bare("the score").tolist() == gaps.whole("the score")[1:].tolist()


def test_without_special_tokens_a_whole_text_is_bare():
    gaps = gap_tokenizer("llama-2", False)
    assert (gaps.prefix.tolist(), gaps.left_out.tolist()) == ([], [])
    assert gaps.whole("the score").tolist() == gaps.bare("the score").tolist()
