"""What a device does in a second, and how a precision's sweep compares with that."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.parts.common import CORES, machine
from quantrag.runtime.telemetry import Stopwatch


def against(
    limits: Mapping[str, Any], checkpoint: Path, sweep: Mapping[str, Any], raw: Mapping[str, Any]
) -> dict[str, Any]:
    """A precision's column: what its sweep and `LLM.generate` report, and the device's share."""
    operations, bytes_read = work(checkpoint, sweep)
    reading_s = operations / (limits["tflops"] * 1e12)
    writing_s = bytes_read / (limits["gb_per_s"] * 1e9)
    computed = sweep["prompt_tokens"] - sweep["cached_tokens"]
    return {
        "generate_s": sweep["generate_s"],
        "raw_generate_s": raw["generate_s"],
        "raw_engine_fraction": raw["generate_s"] / sweep["generate_s"],
        "load_s": sweep["load_s"],
        "raw_load_s": raw["load_s"],
        "computed_prompt_tokens_per_s": computed / sweep["generate_s"],
        "output_tokens_per_s": sweep["output_tokens"] / sweep["generate_s"],
        "arithmetic_alone_s": reading_s,
        "memory_alone_s": writing_s,
        "fraction_of_16_bit_rates": (reading_s + writing_s) / sweep["generate_s"],
        "loaded_gib": sweep["loaded_weight_bytes"] / 2**30,
        "linear_kernels": sweep["linear_kernels"],
    }


def show(device: Mapping[str, Any], columns: Mapping[str, Mapping[str, Any]]) -> None:
    """A table with a column for each precision."""
    print(f"\n{device['name']}: {device['tflops']:,.3g} TFLOPS, {device['gb_per_s']:,.0f} GB/s")
    print(" " * 32 + "".join(f"{name:>14}" for name in columns))
    kernels = "linear_kernels"
    for key in next(iter(columns.values())):
        if key != kernels:
            print(f"  {key:<30}" + "".join(f"{row[key]:>14,.3f}" for row in columns.values()))
    for name, row in columns.items():
        print(f"  {kernels}, {name}: {row[kernels]}")


def work(checkpoint: Path, sweep: Mapping[str, Any]) -> tuple[float, float]:
    """Operations of a sweep's tokens, and bytes of memory that it reads while writing.

    As `quantrag.estimate.model` reckons: two operations per parameter and token; each step of
    writing reads all weights, and the cache of every answer in the batch.
    """
    computed = sweep["prompt_tokens"] - sweep["cached_tokens"]
    written, prompts = sweep["output_tokens"], sweep["prompts"]
    steps = written / min(prompts, sweep["max_num_seqs"])
    cache = sweep["cache_bytes_per_token"] * sweep["prompt_tokens"] / prompts
    operations = 2 * linear_parameters(checkpoint) * (computed + written)
    return operations, steps * sweep["loaded_weight_bytes"] + written * cache


def linear_parameters(checkpoint: Path) -> int:
    """Parameters of the matrices that every token goes through: no embeddings, no output head."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(checkpoint, local_files_only=True)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    head = model.get_output_embeddings()
    matrices = [m for m in model.modules() if isinstance(m, torch.nn.Linear) and m is not head]
    return sum(matrix.weight.numel() for matrix in matrices)


def limits(device: str) -> dict[str, Any]:
    """What the device does: 16-bit operations of a large product, bytes of a large copy."""
    import torch

    on_gpu = device == "cuda"
    size = 8192 if on_gpu else 2048
    torch.set_num_threads(CORES)
    matrix = torch.randn(size, size, dtype=torch.bfloat16, device=device)
    # Far larger than what a processor keeps near.
    block = torch.empty(2**30 if on_gpu else 2**28, dtype=torch.uint8, device=device)
    found: dict[str, Any] = {"name": torch.cuda.get_device_name() if on_gpu else machine()}
    found["tflops"] = 2 * size**3 / best_of(lambda: matrix @ matrix, on_gpu) / 1e12
    found["gb_per_s"] = 2 * block.numel() / best_of(block.clone, on_gpu) / 1e9
    return found


def best_of(function: Callable[[], Any], on_gpu: bool, repeats: int = 10) -> float:
    """Seconds of the fastest call."""
    import torch

    times = []
    for _ in range(repeats):
        watch = Stopwatch()
        function()
        if on_gpu:
            torch.cuda.synchronize()
        times.append(watch.seconds())
    return min(times)
