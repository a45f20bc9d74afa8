"""AutoGPTQ's checkpoint format: unpacking its integers and measuring what they lost.

A quantized layer of n inputs and m outputs with b bits and groups of g inputs is stored as
`qweight` int32 [n*b/32, m], `qzeros` int32 [n/g, m*b/32], `scales` [n/g, m] and `g_idx` int32 [n]
(the group of each input). The integers of a column follow each other bit by bit, lowest first,
which for 3 bits means across word boundaries. Format `gptq` stores zero points minus one (a
mistake of the first implementation that all readers undo), `gptq_v2` as they are.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import torch
from safetensors import safe_open

from quantrag.checkpoints.folder import (
    quantization_settings,
    read_config,
    tensor_entries,
    weight_files,
)

_PARTS = ("qweight", "qzeros", "scales", "g_idx")


def unpack(words: torch.Tensor, bits: int) -> torch.Tensor:
    """Unpack the integers along the first dimension.

    Args:
        words: int32 [r, c].
        bits: bits of an integer, 1 to 8.

    Returns:
        int32 [r * 32 // bits, c], each in [0, 2**bits).
    """
    mask = 2**bits - 1
    if 32 % bits == 0:
        shifts = torch.arange(0, 32, bits, dtype=torch.int32)
        return ((words.unsqueeze(1) >> shifts.view(1, -1, 1)) & mask).flatten(0, 1)
    # Integers cross word boundaries: join each word with the next before shifting.
    start = torch.arange(words.shape[0] * 32 // bits) * bits
    word, shift = start // 32, (start % 32).unsqueeze(1)
    unsigned = words.to(torch.int64) & 0xFFFFFFFF
    following = torch.cat([unsigned[1:], torch.zeros_like(unsigned[:1])])
    values = (unsigned[word] >> shift) | (following[word] << (32 - shift))
    return (values & mask).to(torch.int32)


def dequantize(
    qweight: torch.Tensor,
    qzeros: torch.Tensor,
    scales: torch.Tensor,
    g_idx: torch.Tensor,
    bits: int,
    zero_offset: int = 1,
) -> torch.Tensor:
    """The weight matrix that a quantized layer stands for: (integer - zero point) * scale.

    Args:
        qweight, qzeros, scales, g_idx: as stored; see the module's docstring.
        bits: bits of an integer.
        zero_offset: 1 for the format `gptq`, 0 for `gptq_v2`.

    Returns:
        float32 [outputs, inputs], as `torch.nn.Linear.weight`.
    """
    integers = unpack(qweight, bits)
    zeros = (unpack(qzeros.T.contiguous(), bits).T + zero_offset) & (2**bits - 1)
    groups = g_idx.long()
    return ((integers - zeros[groups]) * scales.float()[groups]).T.contiguous()


def quantized_modules(folder: str | Path) -> list[str]:
    """Names of the checkpoint's quantized layers, in the order in which they are stored."""
    return [
        name.removesuffix(".qweight")
        for name in tensor_entries(folder)
        if name.endswith(".qweight")
    ]


def module_weight(stored: "Tensors", module: str, settings: Mapping[str, object]) -> torch.Tensor:
    """One layer's dequantized weight, float32 [outputs, inputs].

    Args:
        stored: the open checkpoint.
        module: name of the layer.
        settings: `quantization_config` of the checkpoint's `config.json`.
    """
    zero_offset = 0 if settings.get("checkpoint_format", settings.get("format")) == "gptq_v2" else 1
    parts = {part: stored.read(f"{module}.{part}") for part in _PARTS}
    return dequantize(**parts, bits=int(settings["bits"]), zero_offset=zero_offset)


def dense_state(folder: str | Path, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """All tensors of a checkpoint by name in `dtype`, quantized layers as dense weights.

    Args:
        folder: a checkpoint in the format `gptq` or `gptq_v2`, whoever wrote it.
        dtype: of all tensors.
    """
    settings = quantization_settings(read_config(folder))
    modules = set(quantized_modules(folder))
    state = {}
    with Tensors(folder) as stored:
        for module in modules:
            weight = module_weight(stored, module, settings)
            state[f"{module}.weight"] = weight.to(dtype)
        for name in tensor_entries(folder):
            module, _, part = name.rpartition(".")
            if not (module in modules and part in _PARTS):
                state[name] = stored.read(name).to(dtype)
    return state


def weight_errors(original: str | Path, quantized: str | Path) -> list[dict]:
    """What quantization did to each layer's weights.

    Reads one layer of both checkpoints at a time.

    Returns:
        One dict a layer: `module`; `shape` [outputs, inputs]; `relative_error`, the Frobenius norm
        of the difference divided by that of the original (None where the original has no weight of
        that name: some architectures are stored with fused layers).
    """
    settings = quantization_settings(read_config(quantized))
    errors = []
    with Tensors(quantized) as stored, Tensors(original) as reference:
        for module in quantized_modules(quantized):
            weight = module_weight(stored, module, settings)
            before = reference.read(f"{module}.weight")
            errors.append(
                {
                    "module": module,
                    "shape": list(weight.shape),
                    "relative_error": None if before is None else _relative(weight, before),
                }
            )
    return errors


def _relative(weight: torch.Tensor, reference: torch.Tensor) -> float:
    reference = reference.float()
    return ((weight - reference).norm() / reference.norm()).item()


class Tensors:
    """The tensors of a checkpoint by name, whichever file they are in."""

    def __init__(self, folder: str | Path) -> None:
        self._paths = weight_files(folder)

    def __enter__(self) -> "Tensors":
        self._stack = ExitStack()
        files = [self._stack.enter_context(safe_open(p, framework="pt")) for p in self._paths]
        self._files = {name: file for file in files for name in file.keys()}  # noqa: SIM118
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def read(self, name: str) -> torch.Tensor | None:
        return self._files[name].get_tensor(name) if name in self._files else None
