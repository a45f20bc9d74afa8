"""Perplexity by hand, and the texts that it is measured on."""

import math

import pytest
import torch

from quantrag.quantization.perplexity import held_out_texts, perplexity


class Uniform(torch.nn.Module):
    """Every one of the tokens is as likely as the others."""

    def __init__(self, tokens: int):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(tokens))

    def forward(self, input_ids, use_cache):
        return type("Output", (), {"logits": self.weight.expand(*input_ids.shape, -1)})


def test_the_perplexity_of_a_guess_is_the_number_of_tokens():
    value, tokens = perplexity(Uniform(50), [[1, 2, 3], [4], [5, 6]])
    assert value == pytest.approx(50)
    assert tokens == 3


def test_no_token_has_no_perplexity():
    value, tokens = perplexity(Uniform(50), [[4]])
    assert math.isnan(value)
    assert tokens == 0


def test_held_out_texts_are_the_first_different_ones_of_each_task():
    def tokenizer(text):
        return {"input_ids": [ord(character) for character in text]}

    texts = held_out_texts([["ab", "ab", "c", "d"], ["efgh"]], tokenizer, 2, 3)
    assert texts == [[97, 98], [99], [101, 102, 103]]
