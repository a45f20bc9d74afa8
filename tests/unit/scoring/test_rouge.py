"""ROUGE against rouge_score, and in the scripts that rouge_score cannot read."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from quantrag.scoring.rouge import is_latin, rouge_scores

WORDS = st.sampled_from(["the", "cat", "Cat's", "a-b", "3D", "é", "\n", "of", ".", "Graph"])


@given(st.lists(st.tuples(st.lists(WORDS, max_size=12), st.lists(WORDS, max_size=12)), min_size=1))
@settings(deadline=None)
def test_rouge_equals_rouge_score(pairs):
    predictions = [" ".join(p) for p, _ in pairs]
    # A gold without a word that rouge_score can read would score 0 whatever the answer.
    golds = [" ".join([*g, "graph"]) for _, g in pairs]
    scorer = RougeScorer(["rouge1", "rougeL"], use_stemmer=False)
    expected = [
        [result["rouge1"].fmeasure, result["rougeL"].fmeasure]
        for g, p in zip(golds, predictions, strict=True)
        for result in [scorer.score(g.strip(), p.strip())]
    ]
    ours = [
        [rouge_scores(p, g)[name] for name in ("rouge1", "rougeL")]
        for p, g in zip(predictions, golds, strict=True)
    ]
    assert np.allclose(ours, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    ("text", "same", "other"),
    [
        ("深度学习", 1, 0),
        ("深度学习 BERT 模型", 1, 0),
        ("मौसम विज्ञान", 1, 0),
        ("Привет, мир", 1, 0),
        ("สวัสดี", 1, 0),
        ("😂😂", 1, 0),
        ("été à", 1, 0),
    ],
)
def test_texts_that_rouge_score_cannot_read_are_tokenized_by_script(text, same, other):
    scores = [list(rouge_scores(t, text).values()) for t in (text, "wholly other", f"{text} ")]
    assert scores == [[same, same], [other, other], [same, same]]


def test_chinese_is_scored_by_character_and_hindi_by_word():
    expected = {"rouge1": pytest.approx(1), "rougeL": pytest.approx(0.5)}
    assert rouge_scores("深度学习", "学习深度") == expected
    assert rouge_scores("मौसम विज्ञान", "मौसम का") == {"rouge1": 0.5, "rougeL": 0.5}


@given(st.text(min_size=1).filter(lambda text: text.strip()))
def test_a_text_equals_itself(text):
    assert list(rouge_scores(text, text).values()) == pytest.approx([1, 1])


@pytest.mark.parametrize(
    ("gold", "latin"),
    [("A study", True), ("été", True), ("BERT 模型", True), ("B 模型", False), ("...", False)],
)
def test_half_of_the_letters_decide_which_tokenizer_reads_a_gold(gold, latin):
    assert is_latin(gold) == latin
