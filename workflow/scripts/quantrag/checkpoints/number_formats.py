"""The number format that a model is computed in on this machine."""

from pathlib import Path

from quantrag.checkpoints.folder import read_config
from quantrag.runtime.cpu import flags

_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}


def computation_dtype(
    dtype: str, original: str | Path, device: str, has: frozenset[str] | None = None
) -> str:
    """The number format that `auto` stands for on this machine; any other one is left as it is.

    On a GPU the engine takes the checkpoint's own. On a CPU it is bfloat16 where the processor has
    instructions for it, else float32: without them bfloat16 is emulated, and vLLM read prompts at a
    sixth of float32's speed (SmolLM2-135M, AVX2, 2 cores). What was stored in float32 stays so.

    Args:
        dtype: the precision's entry in the config.
        original: folder of the original checkpoint, so that it is the same for every precision.
        device: `cuda` or `cpu`.
        has: the processor's flags; None asks the machine.
    """
    if dtype != "auto" or device != "cpu":
        return dtype
    config = read_config(original)
    stored = str(config.get("dtype", config.get("torch_dtype", "float32")))
    if stored.removeprefix("torch.") == "float32":
        return "float32"
    return "bfloat16" if _BFLOAT16_FLAGS & (flags() if has is None else has) else "float32"
