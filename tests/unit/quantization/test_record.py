"""What `quantization.json` says of a checkpoint, and which files are the original's own."""

import json

import pytest
import torch
from safetensors.torch import save_file

from quantrag.quantization.record import (
    describe_checkpoint,
    keep_tokenizer,
    texts_fingerprint,
    write_record,
)


@pytest.fixture
def checkpoints(tmp_path):
    """An original of one layer, and the same in 4 bits and groups of 32 as AutoGPTQ stores it."""
    original, quantized = tmp_path / "original", tmp_path / "quantized"
    original.mkdir(), quantized.mkdir()
    save_file({"a.weight": torch.zeros(32, 64)}, original / "model.safetensors")
    layer = {
        "a.qweight": torch.zeros(8, 32, dtype=torch.int32),
        "a.qzeros": torch.zeros(2, 4, dtype=torch.int32),
        "a.scales": torch.zeros(2, 32, dtype=torch.float16),
        "a.g_idx": torch.zeros(64, dtype=torch.int32),
        "a.bias": torch.zeros(32),
        "b.weight": torch.zeros(100),
    }
    save_file(layer, quantized / "model.safetensors")
    for folder in (original, quantized):
        (folder / "config.json").write_text(json.dumps({"of": folder.name}))
    return original, quantized


def test_bits_are_those_of_everything_that_is_stored_for_a_layer_but_its_bias(checkpoints):
    original, quantized = checkpoints
    modules = [{"module": "a", "shape": [32, 64]}]
    texts = [[1, 2], [3]]
    record = describe_checkpoint(
        original, quantized, texts, "gptq", "gptq", {"bits": 4}, "cpu", modules, ["torch"]
    )
    # 4 bits, a 16-bit scale and a 4-bit zero per 32 weights, and 32 bits of group per input.
    assert record["bits_per_weight"] == pytest.approx(4 + 20 / 32 + 32 / 32)
    assert record["modules"][0]["bits_per_weight"] == record["bits_per_weight"]
    assert record["quantized_weights"] == 32 * 64
    assert (record["calibration"]["texts"], record["calibration"]["tokens"]) == (2, 3)
    assert record["calibration"]["fingerprint"] == texts_fingerprint(texts)
    assert record["tools"] == {"torch": torch.__version__}
    write_record(quantized, record)
    assert json.loads((quantized / "quantization.json").read_text()) == record


def test_the_order_of_the_texts_counts():
    assert texts_fingerprint([[1], [2]]) != texts_fingerprint([[2], [1]])
    assert texts_fingerprint([[1, 2]]) != texts_fingerprint([[1], [2]])


def test_the_tokenizer_is_the_originals_and_the_weights_are_not(checkpoints):
    original, quantized = checkpoints
    (original / "tokenizer.json").write_text("original")
    (quantized / "tokenizer.json").write_text("changed by the tool")
    weights = (quantized / "model.safetensors").read_bytes()
    keep_tokenizer(original, quantized)
    assert (quantized / "tokenizer.json").read_text() == "original"
    assert json.loads((quantized / "config.json").read_text()) == {"of": "quantized"}
    assert (quantized / "model.safetensors").read_bytes() == weights
