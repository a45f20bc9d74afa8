"""Plain and GPTQ checkpoints; those that our tools really wrote are loaded in tests/e2e."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from generation_samples import tiny_checkpoint
from gptq_samples import gptq_checkpoint
from quantrag.checkpoints import loading
from quantrag.errors import UserError


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "checkpoint")


@pytest.mark.parametrize(
    ("dtype", "compute"), [("auto", torch.bfloat16), ("float16", torch.float16)]
)
def test_nf4_is_asked_of_bitsandbytes(checkpoint, monkeypatch, dtype, compute):
    """It takes a GPU: here only what it is told."""
    told = {}

    def stop(folder, **options):
        told.update(options)
        raise ImportError("bitsandbytes is missing")

    monkeypatch.setattr(loading.AutoModelForCausalLM, "from_pretrained", stop)
    with pytest.raises(UserError, match=r"transformers could not load .* bitsandbytes is missing"):
        loading.load_model(checkpoint, dtype, "cpu", quantize="nf4")
    asked = told["quantization_config"]
    assert (asked.load_in_4bit, asked.bnb_4bit_quant_type) == (True, "nf4")
    assert asked.bnb_4bit_compute_dtype == compute


def test_a_plain_checkpoint_is_loaded_as_it_is(checkpoint):
    model = loading.load_model(checkpoint, "float32", "cpu")
    assert not hasattr(model.config, "quantization_config")
    assert not model.training
    config = json.loads((checkpoint / "config.json").read_text())
    assert model.config.hidden_size == config["hidden_size"]


@pytest.fixture
def gptq(tmp_path):
    folder = tmp_path / "gptq"
    return folder, gptq_checkpoint(folder)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "auto"])
def test_gptq_is_loaded_without_drawing_weights_at_random(gptq, dtype):
    folder, weights = gptq
    before = torch.random.get_rng_state()
    model = loading.load_model(folder, dtype, "cpu")
    assert torch.equal(torch.random.get_rng_state(), before)
    expected = torch.float32 if dtype == "auto" else getattr(torch, dtype)
    state = model.state_dict()
    for name, weight in weights.items():
        assert torch.equal(state[name], torch.from_numpy(weight).to(expected))
    assert not model.training
    assert not hasattr(model.config, "quantization_config")
    assert all(not tensor.is_meta for tensor in (*model.parameters(), *model.buffers()))


def test_gptq_answers_as_the_model_with_the_same_dense_weights(gptq, tmp_path):
    folder, weights = gptq
    dense = tiny_checkpoint(tmp_path / "dense")
    state = load_file(dense / "model.safetensors")
    state |= {name: torch.from_numpy(weight.copy()) for name, weight in weights.items()}
    save_file(state, dense / "model.safetensors", metadata={"format": "pt"})
    ids = torch.tensor([[1, 5, 7, 200]])
    one, other = (
        loading.load_model(path, "float32", "cpu")(ids).logits for path in (folder, dense)
    )
    assert torch.equal(one, other)


@pytest.mark.parametrize("change", ["missing", "unexpected", "mismatched"])
def test_a_gptq_checkpoint_of_another_model_is_refused(gptq, change):
    folder, _ = gptq
    state = load_file(folder / "model.safetensors")
    name = "model.norm.weight"
    if change == "mismatched":
        state[name] = torch.ones(3)
    elif change == "missing":
        del state[name]
    else:
        state["model.other.weight"] = torch.ones(3)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"not those of LlamaForCausalLM \(model\.(norm|other)"):
        loading.load_model(folder, "float32", "cpu")


def test_an_output_head_that_shares_the_embedding_is_not_missed(gptq):
    folder, _ = gptq
    state = load_file(folder / "model.safetensors")
    del state["lm_head.weight"]
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"not those of LlamaForCausalLM \(lm_head"):
        loading.load_model(folder, "float32", "cpu")
    config = json.loads((folder / "config.json").read_text()) | {"tie_word_embeddings": True}
    (folder / "config.json").write_text(json.dumps(config))
    model = loading.load_model(folder, "float32", "cpu")
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert torch.equal(model.lm_head.weight, state["model.embed_tokens.weight"])
