"""Cross-encoders, on tiny models written here."""

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    PreTrainedTokenizerFast,
)

from quantrag.errors import UserError
from quantrag.retrieval.cross_encoder import CrossEncoder

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c", "d"]
QUERIES = ["a b", "a b", "c", "d d d d d d d d d d d d d d d d d d d d", ""]
DOCUMENTS = ["c d", "b a a a a", "c", "a b", "d"]


def save(folder, kind=BertForSequenceClassification, labels=1):
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=16,
        num_labels=labels,
        # Larger weights than usual: the pairs' scores are to differ.
        initializer_range=0.5,
    )
    model = kind(config).eval()
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer = Tokenizer(WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    ).save_pretrained(folder)
    return model


def logits(model, query, document):
    """One pair alone, its tokens laid out by hand; the longer text is cut to 16 tokens."""
    first, second = ([WORDS.index(w) for w in text.split()] for text in (query, document))
    while len(first) + len(second) > 13:
        (first if len(first) > len(second) else second).pop()
    ids = [2, *first, 3, *second, 3]
    types = [0] * (len(first) + 2) + [1] * (len(second) + 1)
    with torch.inference_mode():
        inputs = {"input_ids": torch.tensor([ids]), "token_type_ids": torch.tensor([types])}
        return model(**inputs).logits[0].double()


@pytest.mark.parametrize("labels", [1, 3])
def test_scores_are_the_models_for_each_pair_alone(tmp_path, labels):
    model = save(tmp_path, labels=labels)
    encoder = CrossEncoder(tmp_path, max_length=None, dtype="auto")
    assert encoder.max_length == 16
    found = encoder.score(QUERIES, DOCUMENTS)
    expected = [logits(model, *pair) for pair in zip(QUERIES, DOCUMENTS, strict=True)]
    if labels > 1:
        expected = [values.log_softmax(-1) for values in expected]
    np.testing.assert_allclose(found, [values[-1] for values in expected], rtol=1e-4, atol=1e-5)
    assert len(set(found.round(3))) == len(found)
    assert encoder.score([], []).tolist() == []


def test_an_encoder_without_a_classifier_is_refused(tmp_path):
    save(tmp_path, kind=BertModel)
    with pytest.raises(UserError, match=r"no cross-encoder.*lacks 2 weights.*classifier"):
        CrossEncoder(tmp_path, max_length=None, dtype="auto")


def test_a_folder_without_safetensors_and_too_long_a_text_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"no file \*\.safetensors"):
        CrossEncoder(tmp_path, max_length=None, dtype="auto")
    save(tmp_path)
    with pytest.raises(UserError, match="positions for 16 tokens"):
        CrossEncoder(tmp_path, max_length=17, dtype="auto")


def test_scores_that_are_not_finite_are_refused(tmp_path):
    model = save(tmp_path)
    with torch.no_grad():
        model.classifier.bias.fill_(float("nan"))
    model.save_pretrained(tmp_path, safe_serialization=True)
    with pytest.raises(UserError, match="2 of 2 pairs a score that is not finite"):
        CrossEncoder(tmp_path, max_length=None, dtype="auto").score(["a", "b"], ["b", "c"])
