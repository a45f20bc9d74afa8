"""What is quantized while it is loaded; what was quantized before is loaded in tests/e2e."""

import json

import pytest
import torch

from generation_samples import tiny_checkpoint
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
