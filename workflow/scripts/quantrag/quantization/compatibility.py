"""Which precision runs on which engine and device: one table, read by the checks and by the docs.

What vLLM can do was read in the source of vLLM 0.32: `auto_gptq.AutoGPTQConfig.TYPE_MAP`,
`marlin_utils`, `CPUWNA16LinearKernel`, and `get_min_capability` of its compressed-tensors schemes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

ENGINES = ("vllm", "transformers")
DEVICES = ("cuda", "cpu")


@dataclass(frozen=True)
class Support:
    """How one kind of precision fares on one engine and device.

    Attributes:
        refusal: why it cannot run; None where it can.
        capability: smallest CUDA compute capability, as (major, minor); None where any will do.
        reason: what the capability is needed for.
        note: what a reader should know of where it runs.
        needs_avx512: whether it runs on CPUs with AVX-512 alone.
    """

    refusal: str | None = None
    capability: tuple[int, int] | None = None
    reason: str = ""
    note: str = ""
    needs_avx512: bool = False


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
_MARLIN = Support(capability=(7, 5), reason="vLLM's Marlin kernels")
_EMULATED = Support(
    note="weights and activations rounded, products in `dtype`: slower than 16 bits"
)
_CUDA_ALONE = Support(refusal="AutoGPTQ quantizes on CUDA alone; take tool: gptqmodel")
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
        note="a kernel of its own with AVX-512 and bfloat16; else unpacked to `dtype` when loaded"
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
        refusal="vLLM has GPTQ kernels for group sizes -1, 32, 64, 128 alone"
    ),
    ("gptq-groups", "vllm", "cpu"): _DENSE,
    ("gptq-groups", "transformers", "cuda"): _DENSE,
    ("gptq-groups", "transformers", "cpu"): _DENSE,
    ("auto-gptq", "vllm", "cuda"): _ANY,
    ("auto-gptq", "vllm", "cpu"): _CUDA_ALONE,
    ("auto-gptq", "transformers", "cuda"): _ANY,
    ("auto-gptq", "transformers", "cpu"): _CUDA_ALONE,
    ("awq", "vllm", "cuda"): _MARLIN,
    ("awq", "vllm", "cpu"): Support(note="needs AVX-512 and bfloat16", needs_avx512=True),
    ("awq", "transformers", "cuda"): _DENSE,
    ("awq", "transformers", "cpu"): _DENSE,
    ("w8a8", "vllm", "cuda"): Support(capability=(7, 5), reason="INT8 tensor cores"),
    ("w8a8", "vllm", "cpu"): _ANY,
    ("w8a8", "transformers", "cuda"): _EMULATED,
    ("w8a8", "transformers", "cpu"): _EMULATED,
    ("fp8", "vllm", "cuda"): Support(
        capability=(8, 9),
        reason="FP8 tensor cores; below, vLLM would leave the activations in 16 bits",
    ),
    ("fp8", "vllm", "cpu"): _ANY,
    ("fp8", "transformers", "cuda"): _EMULATED,
    ("fp8", "transformers", "cpu"): _EMULATED,
    ("nf4", "vllm", "cuda"): Support(
        refusal="vLLM 0.32 no longer loads through bitsandbytes; take the engine transformers"
    ),
    ("nf4", "vllm", "cpu"): Support(
        refusal="vLLM 0.32 no longer loads through bitsandbytes, and it is installed for GPUs alone"
    ),
    ("nf4", "transformers", "cuda"): _ANY,
    ("nf4", "transformers", "cpu"): Support(refusal="bitsandbytes is installed for GPUs alone"),
    ("kv-fp8", "vllm", "cuda"): Support(capability=(8, 9), reason="FP8 in the attention kernels"),
    ("kv-fp8", "vllm", "cpu"): Support(note="needs AVX-512", needs_avx512=True),
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


def kinds_of(precision: Mapping[str, object]) -> list[str]:
    """The rows of the table that a precision needs, all of which must run.

    Args:
        precision: the config's entry, defaults applied.
    """
    method = precision["method"]
    kinds = []
    if method == "gptq":
        kinds.append({4: "gptq-4", 8: "gptq-8"}.get(precision["bits"], "gptq-3"))
        if not precision["sym"]:
            kinds.append("gptq-asymmetric")
        if precision["group_size"] not in (-1, 32, 64, 128):
            kinds.append("gptq-groups")
        if precision.get("tool") == "auto-gptq":
            kinds.append("auto-gptq")
    else:
        kinds.append("16-bit" if method == "none" else str(method))
    if precision.get("dtype") == "float16":
        kinds.append("float16")
    if precision.get("kv_cache_dtype") == "fp8":
        kinds.append("kv-fp8")
    return kinds


def engine_refusal(precision: Mapping[str, object], engine: str, device: str) -> str | None:
    """Why an engine cannot run a precision, or None where nothing is known against it.

    Args:
        precision: the config's entry, defaults applied.
        engine: `generation.engine`.
        device: `generation.device`, `cuda` or `cpu`.
    """
    rows = (TABLE.get((kind, engine, device), _ANY) for kind in kinds_of(precision))
    return next((row.refusal for row in rows if row.refusal), None)


def cpu_refusal(
    precision: Mapping[str, object], engine: str, device: str, has: Collection[str]
) -> str | None:
    """Why this machine's processor cannot run a precision, or None.

    Args:
        precision: the config's entry, defaults applied.
        engine: `generation.engine`.
        device: `generation.device`; a GPU's capability is checked in the job.
        has: the processor's instruction sets, as `quantrag.engines.cpu.flags` gives them; where
            none is known nothing is refused.
    """
    rows = (TABLE.get((kind, engine, device), _ANY) for kind in kinds_of(precision))
    if not has or "avx512f" in has or not any(row.needs_avx512 for row in rows):
        return None
    return "vLLM's kernel needs a CPU with AVX-512, and this one has none; leave it out"


def needed_capability(
    precision: Mapping[str, object], engine: str, device: str
) -> tuple[int, int, str] | None:
    """The compute capability that a precision needs and what for; None where any GPU will do."""
    rows = [TABLE.get((kind, engine, device), _ANY) for kind in kinds_of(precision)]
    return max(((*row.capability, row.reason) for row in rows if row.capability), default=None)


def capability_refusal(needed: tuple[int, int, str] | None, has: tuple[int, int]) -> str | None:
    """Why a GPU of compute capability `has` cannot run what needs `needed`, or None."""
    if needed is None or tuple(has) >= tuple(needed[:2]):
        return None
    return (
        f"compute capability {needed[0]}.{needed[1]} is needed ({needed[2]}), this GPU has "
        f"{has[0]}.{has[1]}"
    )
