"""Quantize a checkpoint once per set of parameters, in a process of its own, as the rule does.

Usage: quantize_job.py ORIGINAL FOLDER TEXTS PARAMETERS [--multiply] [--offload] [--device cuda]

PARAMETERS is JSON: {name: {bits: 4, ...}}; each checkpoint is written to FOLDER/name. With
`--multiply`, the weights that GPTQModel's own layers multiply by go to FOLDER/name.safetensors.
With `--offload`, layers wait on disk, as those of large models do.
"""

import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["GPTQMODEL_CPU_WORKERS"] = "2"
os.environ["TORCH_COMPILE_DISABLE"] = "1"

import numpy as np
import torch
from gptqmodel import BACKEND, GPTQModel
from safetensors.torch import save_file

from quantrag.checkpoints.folder import new_folder
from quantrag.checkpoints.gptq_format import quantized_modules
from quantrag.quantization import gptq as quantization


def texts(count: int, length: int = 64) -> list[list[int]]:
    return np.random.default_rng(0).integers(3, 200, (count, length)).tolist()


def multiplied_by(folder: Path) -> dict[str, torch.Tensor]:
    """The weights of each quantized layer, from the layer's product with the identity matrix."""
    model = GPTQModel.load(
        str(folder), device="cpu", backend=BACKEND.GPTQ_TORCH, dtype=torch.float16
    )
    layers = dict(model.model.named_modules())
    weights = {}
    with torch.inference_mode():
        for name in quantized_modules(folder):
            layer = layers[name]
            weights[name] = (
                layer(torch.eye(layer.in_features, dtype=torch.float16)).T.contiguous().float()
            )
    return weights


if __name__ == "__main__":
    original, folder, count, parameters = sys.argv[1:5]
    device = sys.argv[sys.argv.index("--device") + 1] if "--device" in sys.argv else "cpu"
    torch.set_num_threads(2)
    if "--offload" in sys.argv:
        quantization._IN_MEMORY = 0
    for name, changes in json.loads(parameters).items():
        values = {
            "bits": 4,
            "group_size": 32,
            "sym": True,
            "desc_act": False,
            "group_aware": True,
            "damp_percent": 0.05,
            **changes,
        }
        with new_folder(Path(folder, name)) as partial:
            quantization.quantize_gptq(Path(original), partial, texts(int(count)), values, device)
        if "--multiply" in sys.argv:
            weights = multiplied_by(Path(folder, name))
            save_file(weights, Path(folder, f"{name}.safetensors"))
