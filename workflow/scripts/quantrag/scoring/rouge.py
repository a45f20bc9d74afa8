"""ROUGE-1 and ROUGE-L as Hugging Face `evaluate` computes them for LaMP: rouge_score, no stemmer.

rouge_score's own scorer is fast enough for the paper's grid (80 us for a short answer, 200 us for
one of 45 words; the answers of a grid repeat), so there is no implementation of our own. Its
tokenizer, however, knows a-z and 0-9 only: to it a Chinese title is an empty text, and scores 0
whatever the answer. Golds that it cannot read are tokenized by script
(`quantrag.tasks.tokens.tokens_by_script`), and so are the answers to them.
"""

import re
import unicodedata
from functools import cache, lru_cache

from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import DefaultTokenizer

from quantrag.tasks.tokens import tokens_by_script


class _Tokenizer:
    """Tokenizes each text once, instead of once per cell."""

    def __init__(self, tokenize) -> None:
        self.tokenize = lru_cache(maxsize=1 << 16)(tokenize)


@cache
def _scorer(latin: bool) -> RougeScorer:
    tokenize = DefaultTokenizer(use_stemmer=False).tokenize if latin else tokens_by_script
    return RougeScorer(["rouge1", "rougeL"], tokenizer=_Tokenizer(tokenize))


@lru_cache(maxsize=1 << 16)
def rouge_scores(prediction: str, gold: str) -> dict[str, float]:
    """F-measures "rouge1" and "rougeL" of a prediction.

    Equal pairs are scored once: both metrics ask for them, models repeat themselves, and a
    quantized model mostly agrees with itself over k.
    """
    scores = _scorer(is_latin(gold)).score(gold, prediction)
    return {name: score.fmeasure for name, score in scores.items()}


@lru_cache(maxsize=1 << 16)
def is_latin(gold: str) -> bool:
    """Whether rouge_score's tokenizer can read a gold: half of its letters and digits are a-z, 0-9.

    Letters with accents count as their base letter, so Latin texts stay with rouge_score as it is.
    """
    letters = [c for c in unicodedata.normalize("NFKD", gold.lower()) if c.isalnum()]
    read = sum(c.isascii() for c in letters)
    return 2 * read >= len(letters) and re.search("[a-z0-9]", gold.lower()) is not None
