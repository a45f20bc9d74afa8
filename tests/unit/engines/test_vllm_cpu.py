"""What vLLM lacks on a CPU is made up for, or said."""

import json

import pytest
import torch
from safetensors.torch import load_file

from gptq_samples import gptq_checkpoint
from quantrag.engines.vllm_cpu import loadable_checkpoint, write_unpacked
from quantrag.errors import UserError


@pytest.fixture
def gptq(tmp_path):
    folder = tmp_path / "gptq"
    return folder, gptq_checkpoint(folder)


def test_unpacked_weights_are_those_that_the_integers_stand_for(gptq, tmp_path):
    folder, weights = gptq
    target = tmp_path / "target"
    target.mkdir()
    write_unpacked(folder, "float32", target)
    written = load_file(target / "model.safetensors")
    for name, weight in weights.items():
        assert torch.equal(written[name], torch.from_numpy(weight))
    assert "model.embed_tokens.weight" in written
    assert not [name for name in written if name.endswith(("qweight", "g_idx"))]
    config = json.loads((target / "config.json").read_text())
    assert "quantization_config" not in config
    assert config["dtype"] == "float32"


@pytest.mark.parametrize(
    ("dtype", "kernel", "unpacked"),
    [("bfloat16", True, False), ("float32", True, True), ("bfloat16", False, True)],
)
def test_weights_are_unpacked_where_vllm_has_no_kernel(gptq, tmp_path, dtype, kernel, unpacked):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = loadable_checkpoint(gptq[0], dtype, kernel, scratch)
    assert found == (scratch if unpacked else gptq[0])


def test_weights_are_unpacked_where_that_is_asked_for(gptq, tmp_path):
    assert loadable_checkpoint(gptq[0], "bfloat16", True, tmp_path, unpack=True) == tmp_path
    assert (tmp_path / "model.safetensors").exists()


def test_other_packed_formats_are_refused_where_vllm_has_no_kernel(tmp_path):
    settings = {"quant_method": "compressed-tensors", "format": "pack-quantized"}
    (tmp_path / "config.json").write_text(json.dumps({"quantization_config": settings}))
    with pytest.raises(UserError, match=r"AVX-512.*engine: transformers"):
        loadable_checkpoint(tmp_path, "bfloat16", False, tmp_path)
    with pytest.raises(UserError, match="not in float32"):
        loadable_checkpoint(tmp_path, "float32", True, tmp_path)
    assert loadable_checkpoint(tmp_path, "bfloat16", True, tmp_path) == tmp_path


def test_what_is_not_packed_is_loaded_as_it_is(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert loadable_checkpoint(tmp_path, "float32", False, tmp_path / "scratch") == tmp_path
