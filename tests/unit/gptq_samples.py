"""A checkpoint in AutoGPTQ's format whose weights we chose."""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from generation_samples import tiny_checkpoint


def pack(values):
    """4-bit integers [8 r, c] as AutoGPTQ's int32 words [r, c]."""
    rows = values.astype(np.uint32).reshape(-1, 8, values.shape[1])
    words = np.bitwise_or.reduce(rows << (4 * np.arange(8, dtype=np.uint32))[:, None], axis=1)
    return torch.from_numpy(words.view(np.int32))


def gptq_checkpoint(folder: Path) -> dict[str, np.ndarray]:
    """Write the tiny checkpoint with 4-bit linear layers in groups of 32 inputs.

    Returns:
        The weights that they stand for by name, float32 [outputs, inputs].
    """
    random = np.random.default_rng(0)
    state, weights = load_file(tiny_checkpoint(folder) / "model.safetensors"), {}
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
    return weights
