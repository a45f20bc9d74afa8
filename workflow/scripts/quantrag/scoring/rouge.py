"""ROUGE-1 and ROUGE-L as Hugging Face `evaluate` computes them for LaMP: rouge_score, no stemmer.

rouge_score's own scorer is fast enough for the paper's grid (80 us for a short answer, 200 us for
one of 45 words; the answers of a grid repeat), so there is no implementation of our own.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import DefaultTokenizer


class _CachedTokenizer:
    """rouge_score's default tokenizer, which here sees each gold once instead of once per cell."""

    def __init__(self) -> None:
        self.tokenize = lru_cache(maxsize=1 << 16)(DefaultTokenizer(use_stemmer=False).tokenize)


def rouge(predictions: Sequence[str], golds: Sequence[str]) -> np.ndarray:
    """ROUGE-1 and ROUGE-L F-measures.

    Equal pairs are scored once: models repeat themselves, and a quantized model mostly agrees with
    itself over k.

    Returns:
        float64 (n, 2): ROUGE-1, ROUGE-L.
    """
    scorer = RougeScorer(["rouge1", "rougeL"], tokenizer=_CachedTokenizer())
    known: dict[tuple[str, str], tuple[float, float]] = {}
    scores = np.empty((len(predictions), 2))
    for row, pair in enumerate(zip(golds, predictions, strict=True)):
        if pair not in known:
            result = scorer.score(*pair)
            known[pair] = (result["rouge1"].fmeasure, result["rougeL"].fmeasure)
        scores[row] = known[pair]
    return scores
