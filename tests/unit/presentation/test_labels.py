"""How names read in print."""

import pytest

from quantrag.presentation import labels


@pytest.mark.parametrize(
    ("text", "printed"),
    [("fp16", "FP16"), ("int4-gptq", "INT4 GPTQ"), ("fp8-w8a8", "FP8 W8A8"), ("nf4", "NF4"),
     ("bm25-okapi", "BM25 (Okapi)"), ("none", "no retrieval"), ("my-model_7b", "my-model_7b")],
)  # fmt: skip
def test_names_in_print(text, printed):
    assert labels.name(text) == printed


def test_long_names_lose_their_middle():
    assert labels.shorten("abcdefghij", 5) == "ab…ij"
    assert len(labels.shorten("x" * 99, 10)) == 10
