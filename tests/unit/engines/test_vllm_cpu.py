"""What vLLM lacks on a CPU is made up for, or said."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from generation_samples import tiny_checkpoint
from quantrag.engines.vllm_cpu import loadable_checkpoint, write_unpacked
from quantrag.errors import UserError


def pack(values):
    """4-bit integers [8 r, c] as AutoGPTQ's int32 words [r, c]."""
    rows = values.astype(np.uint32).reshape(-1, 8, values.shape[1])
    words = np.bitwise_or.reduce(rows << (4 * np.arange(8, dtype=np.uint32))[:, None], axis=1)
    return torch.from_numpy(words.view(np.int32))


@pytest.fixture
def gptq(tmp_path):
    """A checkpoint in AutoGPTQ's format, and its weights as we chose them."""
    folder, random = tiny_checkpoint(tmp_path / "gptq"), np.random.default_rng(0)
    state, weights = load_file(folder / "model.safetensors"), {}
    for name in [n for n in state if n.endswith("_proj.weight")]:
        module = name.removesuffix(".weight")
        outputs, inputs = state.pop(name).shape
        integers = random.integers(16, size=(inputs, outputs))
        scales = random.random((inputs // 32, outputs)).astype(np.float16) / 16
        groups = np.arange(inputs, dtype=np.int32) // 32
        weights[name] = ((integers - 8) * scales.astype(np.float32)[groups]).T
        state[f"{module}.qweight"] = pack(integers)
        state[f"{module}.qzeros"] = pack(np.full((outputs, inputs // 32), 7)).T.contiguous()
        state[f"{module}.scales"] = torch.from_numpy(scales)
        state[f"{module}.g_idx"] = torch.from_numpy(groups)
    save_file(state, folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "gptq", "bits": 4, "group_size": 32}
    config["quantization_config"] |= {"sym": True, "desc_act": False, "checkpoint_format": "gptq"}
    (folder / "config.json").write_text(json.dumps(config))
    return folder, weights


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
