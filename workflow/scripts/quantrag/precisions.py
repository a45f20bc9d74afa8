"""What a precision asks of the checkpoint and of the engine, checked before any work starts."""

import re
from collections.abc import Mapping
from pathlib import Path

from quantrag.checkpoints import tensor_entries
from quantrag.errors import UserError

#: Group sizes that the schema allows, `-1` (a whole row) apart.
GROUP_SIZES = (16, 32, 64, 128, 256, 512, 1024)
# The repeated blocks of a decoder: `model.layers.0.mlp.down_proj.weight`, `transformer.h.3...`.
_BLOCK_WEIGHT = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.\d+\..+\.weight$")

#: What vLLM 0.32 loads of GPTQ: its AutoGPTQConfig.TYPE_MAP and marlin_utils, and on the CPU its
#: CPUWNA16LinearKernel.
_VLLM_GPTQ_BITS = {"cuda": (4, 8), "cpu": (4,)}
_VLLM_GPTQ_GROUP_SIZES = (-1, 32, 64, 128)


def engine_refusal(precision: Mapping[str, object], engine: str, device: str) -> str | None:
    """Why an engine cannot run a precision, or None where nothing is known against it.

    Args:
        precision: the config's entry, defaults applied.
        engine: `generation.engine`.
        device: `generation.device`, `cuda` or `cpu`.
    """
    if engine != "vllm" or precision["method"] != "gptq":
        return None
    bits = precision["bits"]
    if bits not in _VLLM_GPTQ_BITS[device]:
        allowed = " or ".join(map(str, _VLLM_GPTQ_BITS[device]))
        return f"vLLM has no {device.upper()} kernel for GPTQ with {bits} bits, only {allowed}"
    if not precision["sym"]:
        return "vLLM loads only symmetric GPTQ; set sym: true"
    if precision["group_size"] not in _VLLM_GPTQ_GROUP_SIZES:
        allowed = ", ".join(map(str, _VLLM_GPTQ_GROUP_SIZES))
        return f"vLLM has kernels for group sizes {allowed}, not {precision['group_size']}"
    return None


def block_shapes(folder: str | Path) -> dict[str, tuple[int, int]]:
    """Shapes (output size, input size) of the weight matrices in the model's repeated blocks.

    These are what weight quantization replaces; embeddings and the output head stay as they are.
    """
    return {
        name: tuple(entry["shape"])
        for name, entry in tensor_entries(folder).items()
        if len(entry["shape"]) == 2 and _BLOCK_WEIGHT.search(name)
    }


def check_group_size(folder: str | Path, group_size: int) -> None:
    """Check that a group size divides the input size of every layer that is quantized.

    GPTQModel writes such a checkpoint without a word, and vLLM then stops at a bare assertion.

    Args:
        folder: the original checkpoint; its headers alone are read.
        group_size: weights per scale; -1, a whole row, always fits.

    Raises:
        UserError: it does not divide one, with the sizes that would.
    """
    if group_size == -1:
        return
    shapes = block_shapes(folder)
    offending = {name: shape[1] for name, shape in shapes.items() if shape[1] % group_size}
    if not offending:
        return
    inputs = {shape[1] for shape in shapes.values()}
    fitting = [size for size in GROUP_SIZES if all(n % size == 0 for n in inputs)]
    name, size = next(iter(offending.items()))
    raise UserError(
        f"group_size {group_size} does not divide the input size {size} of {name} "
        f"(and {len(offending) - 1} more layers) in {folder}. Sizes that divide every layer: "
        f"{', '.join(map(str, [*fitting, -1]))} (-1: one scale per row)."
    )
