"""Which precision runs on which engine and device: one table, read by the checks and by the docs.

What vLLM can do was read in the source of vLLM 0.32: `auto_gptq.AutoGPTQConfig.TYPE_MAP`,
`marlin_utils`, `CPUWNA16LinearKernel`, and `get_min_capability` of its compressed-tensors schemes.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from quantrag.quantization.hardware import ANY_HARDWARE, Hardware

ENGINES = ("vllm", "transformers")
DEVICES = ("cuda", "cpu")


@dataclass(frozen=True)
class Support:
    """How one kind of precision fares on one engine and device.

    Attributes:
        refusal: why it cannot run; None where it can.
        needs: the hardware that it runs on; known only where the job runs.
        note: what a reader should know of where it runs.
    """

    refusal: str | None = None
    needs: Hardware = ANY_HARDWARE
    note: str = ""


#: Kinds of precision, and which entries of the config they are.
KINDS = {
    "16-bit": "`method: none`",
    "float16": "`dtype: float16`",
    "gptq-4": "`method: gptq`, `bits: 4`",
    "gptq-8": "`method: gptq`, `bits: 8`",
    "gptq-3": "`method: gptq`, `bits: 3` or `2`",
    "gptq-asymmetric": "`method: gptq`, `sym: false`",
    "gptq-groups": "`method: gptq`, `group_size` 16, 256, 512 or 1024",
    "auto-gptq": "`method: gptq`, `tool: auto-gptq`",
    "awq": "`method: awq`",
    "w8a8": "`method: w8a8`",
    "fp8": "`method: fp8`",
    "nf4": "`method: nf4`",
    "kv-fp8": "`kv_cache_dtype: fp8`",
    "published": "`method: published`",
}

_ANY = Support()
_DENSE = Support(note="unpacked to `dtype` when loaded: the same products, the memory of 16 bits")
_MARLIN = Support(needs=Hardware((7, 5), "vLLM's Marlin kernels"))
_EMULATED = Support(
    note="weights and activations rounded, products in `dtype`: slower than 16 bits"
)
_ONLY_CUDA = Support(refusal="AutoGPTQ quantizes only on CUDA; take tool: gptqmodel")
_READ = Support(note="if its format is GPTQ or compressed-tensors")

#: (kind, engine, device) -> Support. What an `openai` server runs is its own business: no rows.
TABLE = {
    ("16-bit", "vllm", "cuda"): _ANY,
    ("16-bit", "vllm", "cpu"): _ANY,
    ("16-bit", "transformers", "cuda"): _ANY,
    ("16-bit", "transformers", "cpu"): _ANY,
    ("float16", "vllm", "cuda"): _ANY,
    ("float16", "vllm", "cpu"): Support(
        refusal="vLLM computes float16 on a CPU so slowly that a run never ended; take bfloat16"
    ),
    ("float16", "transformers", "cuda"): _ANY,
    ("float16", "transformers", "cpu"): _ANY,
    ("gptq-4", "vllm", "cuda"): _MARLIN,
    ("gptq-4", "vllm", "cpu"): Support(
        note="a kernel of its own with AVX-512 and bfloat16; else, or with `unpack_gptq`, unpacked "
        "to `dtype` when loaded"
    ),
    ("gptq-4", "transformers", "cuda"): _DENSE,
    ("gptq-4", "transformers", "cpu"): _DENSE,
    ("gptq-8", "vllm", "cuda"): _MARLIN,
    ("gptq-8", "vllm", "cpu"): _DENSE,
    ("gptq-8", "transformers", "cuda"): _DENSE,
    ("gptq-8", "transformers", "cpu"): _DENSE,
    ("gptq-3", "vllm", "cuda"): Support(
        refusal="vLLM has no CUDA kernel for GPTQ with 3 or 2 bits, only 4 or 8"
    ),
    ("gptq-3", "vllm", "cpu"): _DENSE,
    ("gptq-3", "transformers", "cuda"): _DENSE,
    ("gptq-3", "transformers", "cpu"): _DENSE,
    ("gptq-asymmetric", "vllm", "cuda"): Support(
        refusal="vLLM loads only symmetric GPTQ; set sym: true"
    ),
    ("gptq-asymmetric", "vllm", "cpu"): _DENSE,
    ("gptq-asymmetric", "transformers", "cuda"): _DENSE,
    ("gptq-asymmetric", "transformers", "cpu"): _DENSE,
    ("gptq-groups", "vllm", "cuda"): Support(
        refusal="vLLM has GPTQ kernels only for group sizes -1, 32, 64 and 128"
    ),
    ("gptq-groups", "vllm", "cpu"): _DENSE,
    ("gptq-groups", "transformers", "cuda"): _DENSE,
    ("gptq-groups", "transformers", "cpu"): _DENSE,
    ("auto-gptq", "vllm", "cuda"): _ANY,
    ("auto-gptq", "vllm", "cpu"): _ONLY_CUDA,
    ("auto-gptq", "transformers", "cuda"): _ANY,
    ("auto-gptq", "transformers", "cpu"): _ONLY_CUDA,
    ("awq", "vllm", "cuda"): _MARLIN,
    ("awq", "vllm", "cpu"): Support(needs=Hardware(avx512=True), note="needs AVX-512 and bfloat16"),
    ("awq", "transformers", "cuda"): _DENSE,
    ("awq", "transformers", "cpu"): _DENSE,
    ("w8a8", "vllm", "cuda"): Support(needs=Hardware((7, 5), "INT8 tensor cores")),
    ("w8a8", "vllm", "cpu"): _ANY,
    ("w8a8", "transformers", "cuda"): _EMULATED,
    ("w8a8", "transformers", "cpu"): _EMULATED,
    ("fp8", "vllm", "cuda"): Support(
        needs=Hardware(
            (8, 9), "FP8 tensor cores; below, vLLM would leave the activations in 16 bits"
        )
    ),
    ("fp8", "vllm", "cpu"): _ANY,
    ("fp8", "transformers", "cuda"): _EMULATED,
    ("fp8", "transformers", "cpu"): _EMULATED,
    ("nf4", "vllm", "cuda"): Support(
        refusal="vLLM 0.32 no longer loads through bitsandbytes; take the engine transformers"
    ),
    ("nf4", "vllm", "cpu"): Support(
        refusal="vLLM 0.32 no longer loads through bitsandbytes, and it is installed only for GPUs"
    ),
    ("nf4", "transformers", "cuda"): _ANY,
    ("nf4", "transformers", "cpu"): Support(refusal="bitsandbytes is installed only for GPUs"),
    ("kv-fp8", "vllm", "cuda"): Support(needs=Hardware((8, 9), "FP8 in the attention kernels")),
    ("kv-fp8", "vllm", "cpu"): Support(needs=Hardware(avx512=True), note="needs AVX-512"),
    ("kv-fp8", "transformers", "cuda"): Support(
        refusal="transformers keeps keys and values in the model's own type; needs vllm"
    ),
    ("kv-fp8", "transformers", "cpu"): Support(
        refusal="transformers keeps keys and values in the model's own type; needs vllm"
    ),
    ("published", "vllm", "cuda"): Support(note="what vLLM can load; it says what it cannot"),
    ("published", "vllm", "cpu"): Support(note="what vLLM can load; it says what it cannot"),
    ("published", "transformers", "cuda"): _READ,
    ("published", "transformers", "cpu"): _READ,
}


def support(kinds: Iterable[str], engine: str, device: str) -> Support:
    """How a precision that belongs to several kinds fares: all of them must run.

    Args:
        kinds: keys of `KINDS`.
        engine: `generation.engine`; one without rows (`openai`) is refused nothing.
        device: `generation.device`, `cuda` or `cpu`.

    Returns:
        The first refusal and all needs of hardware together, without notes.
    """
    rows = [TABLE.get((kind, engine, device), _ANY) for kind in kinds]
    capabilities = ((row.needs.capability, row.needs.reason) for row in rows)
    capability, reason = max((pair for pair in capabilities if pair[0]), default=(None, ""))
    return Support(
        refusal=next((row.refusal for row in rows if row.refusal), None),
        needs=Hardware(capability, reason, any(row.needs.avx512 for row in rows)),
    )
