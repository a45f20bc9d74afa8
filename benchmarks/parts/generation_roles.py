"""The ways to generate that are compared, each started as a process of its own.

    python -m benchmarks.parts.generation_roles ROLE --folder FOLDER --checkpoint FOLDER ...

The folder has `prompts/` in it; the role leaves its `report.json` there.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from benchmarks.parts.common import CORES
from benchmarks.parts.device_rates import limits
from benchmarks.parts.generation_prompts import (
    cells,
    distinct_prompts,
    prompt_files,
    prompts_of_cell,
)
from quantrag.checkpoints.folder import read_config
from quantrag.engines.sizing import kv_bytes_per_token
from quantrag.generation.cell_tables import baseline_answers, read_prompts
from quantrag.generation.generate import generate_cells
from quantrag.generation.job import GenerationJob, engine_spec
from quantrag.generation.journal import read_journal
from quantrag.generation.settings import GenerationSettings
from quantrag.runtime.telemetry import Stopwatch

#: Tokens in a block of the cache, for sweep and raw alike: vLLM's own 128 on a CPU shares little.
BLOCK_SIZE = {"cpu": 32, "cuda": 16}
MOST_SINGLE_PROMPTS = 60


def job_of(
    arguments: argparse.Namespace,
    seed: int | None = None,
    checkpoint: Path | None = None,
    likelihood: str = "none",
    **vllm: Any,
) -> GenerationJob:
    """A job on the checkpoint, or on another one of the same model."""
    given = {
        "device": arguments.device,
        "max_new_tokens": arguments.new_tokens,
        "vllm": {
            "enforce_eager": not arguments.compiled,
            "block_size": BLOCK_SIZE[arguments.device],
            **vllm,
        },
    }
    spec = engine_spec(
        GenerationSettings(**given).model_dump(),
        arguments.checkpoint,
        model="benchmark",
        precision="benchmark",
        checkpoint=checkpoint or arguments.checkpoint,
        dtype=arguments.dtype,
        kv_cache_dtype="auto",
        threads=CORES,
    )
    return GenerationJob(spec, "benchmark", seed, source={}, likelihood=likelihood)


def sweep(
    arguments: argparse.Namespace,
    seed: int | None = None,
    baseline_files: Sequence[Path] = (),
    **options: Any,
) -> dict:
    """This project's `generate`: one engine start, prefix order, journal."""
    folder = arguments.folder
    generate_cells(
        job_of(arguments, seed, **options),
        prompt_files(folder),
        [folder / "completions" / cell for cell in cells(folder)],
        folder / "costs.json",
        folder / "journal.jsonl",
        baseline_files=baseline_files,
    )
    session = read_journal(folder / "journal.jsonl", keys=())[1][-1]
    keys = ["load_s", "generate_s", "prompts", "prompt_tokens", "cached_tokens", "output_tokens"]
    keys += ["likelihoods"] * bool(session["likelihoods"])
    report = session["report"]
    kernels = {
        name for kind, names in report["kernels"].items() if "Linear" in kind for name in names
    }
    sizes = ("max_num_seqs", "cache_bytes_per_token", "loaded_weight_bytes")
    return {
        **{key: session[key] for key in keys},
        **{key: report[key] for key in sizes},
        "linear_kernels": ", ".join(sorted(kernels)),
    }


def shuffled(arguments: argparse.Namespace) -> dict:
    """The same in a random order."""
    return sweep(arguments, seed=0)


def baseline_scored(arguments: argparse.Namespace) -> dict:
    """The sweep, which also says how likely the golds are."""
    return sweep(arguments, likelihood="gold+baseline")


def quantized(arguments: argparse.Namespace, **options: Any) -> dict:
    """The sweep of another precision, on a CPU as the demo runs it."""
    unpack = arguments.device == "cpu"
    return sweep(arguments, checkpoint=arguments.quantized, unpack_gptq=unpack, **options)


def baseline_answers_of(arguments: argparse.Namespace) -> list[Path]:
    """What `baseline_scored` has written in its first run."""
    folder = arguments.folder.parent / "baseline-scored0" / "completions"
    return [folder / cell for cell in cells(arguments.folder)]


def quantized_scored(arguments: argparse.Namespace) -> dict:
    """The same with the likelihoods of golds and of the baseline's answers."""
    return quantized(
        arguments, likelihood="gold+baseline", baseline_files=baseline_answers_of(arguments)
    )


def prompt_logprobs(arguments: argparse.Namespace) -> dict:
    """Likelihoods as they are usually measured, of the baseline, after the same answers.

    `prompt_logprobs` over prompt and text, a text at a time: without the cache, since vLLM doesn't
    read it then.
    """
    from vllm import SamplingParams

    prompts = read_prompts(prompt_files(arguments.folder))
    answers = baseline_answers(baseline_answers_of(arguments))
    texts: dict[tuple[int, ...], set[tuple[int, ...]]] = {}
    for row in prompts.to_pylist():
        own = texts.setdefault(tuple(row["token_ids"]), set())
        own |= {*map(tuple, row["continuations"]), tuple(answers[row["prompt_hash"]].token_ids)}
    ids = distinct_prompts(arguments.folder)
    pairs = [[*prompt, *text] for prompt in ids for text in sorted(texts[tuple(prompt)])]
    longest = max(map(len, pairs))
    watch = Stopwatch()
    llm = start_llm(arguments, longest, block_size=BLOCK_SIZE[arguments.device])
    load_s = watch.seconds()
    watch = Stopwatch()
    llm.generate([{"prompt_token_ids": x} for x in ids], parameters(arguments), use_tqdm=False)
    scoring = SamplingParams(temperature=0.0, max_tokens=1, prompt_logprobs=0)
    llm.generate([{"prompt_token_ids": x} for x in pairs], scoring, use_tqdm=False)
    return {"load_s": load_s, "generate_s": watch.seconds(), "likelihoods": len(pairs)}


def small_cache(arguments: argparse.Namespace, seed: int | None = None) -> dict:
    """The sweep with room for five of the longest prompts, four of them running.

    On the paper's grid a GPU's cache holds a ten-thousandth of all prompts; the benchmark's few
    would stay in a cache of the usual size whatever order they come in.
    """
    longest = pc.max(read_prompts(prompt_files(arguments.folder))["n_tokens"]).as_py()
    per_token = kv_bytes_per_token(read_config(arguments.checkpoint), arguments.dtype)
    tokens = 5 * (longest + arguments.new_tokens)
    # The same on a GPU, where the cache is otherwise a share of the memory.
    extra = {"kv_cache_memory_bytes": tokens * per_token}
    return sweep(arguments, seed, extra=extra, max_num_seqs=4)


def small_cache_shuffled(arguments: argparse.Namespace) -> dict:
    """The same in a random order."""
    return small_cache(arguments, seed=0)


def raw(arguments: argparse.Namespace) -> dict:
    """`LLM.generate` with the same engine arguments and sampling, prompts in the same order."""
    ids = distinct_prompts(arguments.folder)
    watch = Stopwatch()
    llm = start_llm(arguments, max(map(len, ids)), block_size=BLOCK_SIZE[arguments.device])
    load_s = watch.seconds()
    watch = Stopwatch()
    outputs = llm.generate(
        [{"prompt_token_ids": x} for x in ids], parameters(arguments), use_tqdm=False
    )
    return {
        "load_s": load_s,
        "generate_s": watch.seconds(),
        "prompt_tokens": sum(map(len, ids)),
        "cached_tokens": sum(output.num_cached_tokens for output in outputs),
        "output_tokens": sum(len(output.outputs[0].token_ids) for output in outputs),
    }


def per_cell(arguments: argparse.Namespace) -> dict:
    """One cell in an engine of its own."""
    ids = prompts_of_cell(arguments.folder, arguments.cell)
    llm = start_llm(arguments, max(map(len, ids)))
    watch = Stopwatch()
    llm.generate([{"prompt_token_ids": x} for x in ids], parameters(arguments), use_tqdm=False)
    return {"generate_s": watch.seconds()}


def one_at_a_time(arguments: argparse.Namespace) -> dict:
    """The usual loop over `transformers.generate`: a prompt at a time, the model loaded once."""
    import torch
    from transformers import AutoModelForCausalLM

    ids = distinct_prompts(arguments.folder)
    # Of many, evenly: at 7B a prompt takes seconds.
    ids = ids[:: -(-len(ids) // MOST_SINGLE_PROMPTS)]
    sampling = job_of(arguments).spec.sampling
    torch.set_num_threads(CORES)
    watch = Stopwatch()
    model = AutoModelForCausalLM.from_pretrained(
        arguments.checkpoint,
        dtype=arguments.dtype,
        device_map=arguments.device,
        local_files_only=True,
    ).eval()
    load_s = watch.seconds()
    watch = Stopwatch()
    output_tokens = 0
    with torch.inference_mode():
        for x in ids:
            prompt = torch.tensor([x], device=model.device)
            answer = model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                max_new_tokens=sampling.max_new_tokens,
                do_sample=False,
                eos_token_id=list(sampling.stop_token_ids),
                pad_token_id=sampling.stop_token_ids[0],
            )
            output_tokens += answer.shape[1] - len(x)
    return {
        "load_s": load_s,
        "generate_s": watch.seconds(),
        "prompts": len(ids),
        "prompt_tokens": sum(map(len, ids)),
        "output_tokens": output_tokens,
    }


def parameters(arguments: argparse.Namespace) -> Any:
    """vLLM's sampling parameters: those of the sweep."""
    from vllm import SamplingParams

    sampling = job_of(arguments).spec.sampling
    return SamplingParams(
        temperature=0.0,
        max_tokens=sampling.max_new_tokens,
        ignore_eos=True,
        stop_token_ids=list(sampling.stop_token_ids),
    )


def start_llm(arguments: argparse.Namespace, longest: int, **options: Any) -> Any:
    """vLLM's `LLM`, as a user would start it: the engine in processes of its own."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    if arguments.device == "cpu":
        # As the sweep does (`quantrag.engines.vllm_environment`).
        cores = ",".join(map(str, sorted(os.sched_getaffinity(0))))
        os.environ |= {"VLLM_CPU_OMP_THREADS_BIND": cores, "VLLM_CPU_INT4_W4A8": "0"}
        if not arguments.compiled:
            os.environ["TORCH_COMPILE_DISABLE"] = "1"
    from vllm import LLM

    memory = (
        {"kv_cache_memory_bytes": 2 * 2**30}
        if arguments.device == "cpu"
        else {"gpu_memory_utilization": 0.9}
    )
    return LLM(
        str(arguments.checkpoint),
        dtype=arguments.dtype,
        max_model_len=longest + arguments.new_tokens,
        enforce_eager=not arguments.compiled,
        generation_config="vllm",
        **memory,
        **options,
    )


ROLES = {
    "limits": lambda arguments: limits(arguments.device),
    "sweep": sweep,
    "shuffled": shuffled,
    "small-cache": small_cache,
    "small-cache-shuffled": small_cache_shuffled,
    "raw": raw,
    "per-cell": per_cell,
    "one-at-a-time": one_at_a_time,
    "baseline": sweep,
    "baseline-scored": baseline_scored,
    "quantized": quantized,
    "quantized-scored": quantized_scored,
    "prompt-logprobs": prompt_logprobs,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=ROLES)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--cell", type=Path)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--quantized", type=Path)
    parser.add_argument("--device")
    parser.add_argument("--dtype")
    parser.add_argument("--new-tokens", type=int)
    parser.add_argument("--compiled", action="store_true")
    arguments = parser.parse_args()
    report = ROLES[arguments.role](arguments)
    (arguments.folder / "report.json").write_text(json.dumps(report), encoding="utf-8")


if __name__ == "__main__":
    main()
