"""What is done where vLLM has no kernel, or a slow one, for a checkpoint on this processor.

Processors with AVX-512 have vLLM's INT4 kernels; most laptops have only AVX2. The same grid runs on
all of them; what was done instead is logged and stands in the completions' provenance.
"""

import json
import logging
import shutil
from pathlib import Path

from quantrag.checkpoints.folder import quantization_settings, read_config
from quantrag.errors import UserError

log = logging.getLogger(__name__)

#: What vLLM's INT4 kernel for CPUs takes of GPTQ.
GROUP_SIZES = (-1, 32, 64, 128)


def loadable_checkpoint(
    checkpoint: Path, dtype: str, kernel: bool, scratch: Path, *, unpack: bool = False
) -> Path:
    """The checkpoint itself, or its weights unpacked where vLLM has no kernel for them here.

    A layer with packed weights multiplies by (integer - zero point) * scale in `dtype`. Unpacked
    once to `dtype`, it multiplies by the same numbers: the same answers up to rounding, but the
    memory and the speed of the unquantized model.

    Args:
        checkpoint: the checkpoint to run.
        dtype: number format of the computation.
        kernel: whether vLLM's build for this processor has its INT4 kernel.
        scratch: empty folder for the unpacked weights, needed until they are loaded.
        unpack: whether GPTQ's are unpacked even so.

    Raises:
        UserError: there is no kernel, and the format is none that we unpack.
    """
    settings = quantization_settings(read_config(checkpoint))
    method = settings.get("quant_method")
    runs = kernel and dtype != "float32"
    if method == "gptq" and not (
        runs
        and not unpack
        and int(settings["bits"]) == 4
        and settings["sym"]
        and settings["group_size"] in GROUP_SIZES
    ):
        why = "as generation.vllm.unpack_gptq asks"
        if not unpack:
            why = f"vLLM has no kernel for them on this CPU in {dtype}"
        log.log(
            logging.INFO if unpack else logging.WARNING,
            "The weights are unpacked to %s: %s. Answers are those of %s bits, speed and memory "
            "are not.",
            dtype,
            why,
            settings["bits"],
        )
        write_unpacked(checkpoint, dtype, scratch)
        return scratch
    if (method == "awq" or settings.get("format") == "pack-quantized") and not runs:
        why = "needs a CPU with AVX-512" if not kernel else "computes in bfloat16, not in float32"
        raise UserError(
            f"{checkpoint}: vLLM's kernel for its weights ({method}) {why}. Set "
            "generation.engine: transformers" + ("." if not kernel else ", or dtype: bfloat16.")
        )
    return checkpoint


def write_unpacked(checkpoint: Path, dtype: str, folder: Path) -> None:
    """Write a GPTQ checkpoint's model with dense weights of `dtype` into an empty folder."""
    import torch
    from safetensors.torch import save_file

    from quantrag.checkpoints.gptq_format import dense_state

    config = dict(read_config(checkpoint))
    del config["quantization_config"]
    config["dtype"] = dtype
    (folder / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    for path in checkpoint.glob("generation_config.json"):
        shutil.copy(path, folder)
    state = dense_state(checkpoint, getattr(torch, dtype))
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
