"""What one engine lifetime, prefix order and the journal bring, against how it is usually done.

One model, one precision, the same prompts and the same answers wanted of everybody:

  sweep        this project's `generate`: one engine start, prefix order, journal
  per-cell     one engine start per cell of the grid (task x retriever x k)
  one-by-one   a loop over `transformers.generate`, a prompt at a time, the model loaded once
  raw          vLLM's own `LLM.generate`, same prompts in the same order: the physical limit here
  shuffled     the sweep in a random order, to show what the prefix cache saves
  killed       the sweep, killed (SIGKILL) several times: answers lost or generated twice

    python benchmarks/generation.py --checkpoint FOLDER --prompts FOLDER [--queries 4] [--json]

Every measurement is a process of its own. Prompts are the files that `build_prompts` writes
(`results/demo/prompts/smollm2-135m-instruct` of the demo is the default). For the sizes of a real
model on a GPU without a download: `--random-7b FOLDER --device cuda`.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

# This script's folder has a statistics.py, which would hide the standard library's.
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

import pyarrow.compute as pc

from quantrag.config_schema import load_schema, with_defaults
from quantrag.generation import generate_cells
from quantrag.generation_job import GenerationJob, sampling_of
from quantrag.generation_tables import ordered, read_prompts
from quantrag.tables import read_arrow, write_table
from quantrag.telemetry import Stopwatch

ROOT = Path(__file__).resolve().parents[1]
CHECKPOINT = ROOT / "resources/checkpoints/smollm2-135m-instruct/original"
PROMPTS = ROOT / "results/demo/prompts/smollm2-135m-instruct"
GOALS = {
    "sweep_speedup_vs_engine_per_cell": 3.0,
    "sweep_speedup_vs_one_at_a_time": 4.0,
    "raw_engine_fraction": 0.9,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--prompts", type=Path, default=PROMPTS)
    parser.add_argument("--queries", type=int, default=4, help="queries per task")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--new-tokens", type=int, default=64)
    parser.add_argument("--compiled", action="store_true", help="without enforce_eager")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=2, help="of sweep and raw; the best counts")
    parser.add_argument(
        "--parts", default="sweep,per-cell,one-by-one,raw,shuffled,killed", help="what to measure"
    )
    parser.add_argument("--random-7b", type=Path, help="write a 7B model here and use it")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--role", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--cell", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.role:
        ROLES[arguments.role](arguments)
        return
    if arguments.random_7b:
        write_random_7b(arguments.random_7b, arguments.checkpoint)
        arguments.checkpoint = arguments.random_7b
    with tempfile.TemporaryDirectory() as folder:
        results = measure(arguments, Path(folder))
    if arguments.json:
        print(json.dumps(results, indent=1))
    else:
        for name, value in results.items():
            goal = f"   (goal {GOALS[name]:g})" if name in GOALS else ""
            print(f"{name:36} {value if value is None else round(value, 3)}{goal}")


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run the parts one after the other, each in processes of its own."""
    parts = arguments.parts.split(",")
    select_prompts(arguments, folder / "prompts")
    prompts = read_prompts(prompt_files(folder))
    say(f"{len(prompts)} prompts, {len(set(prompts['prompt_hash'].to_pylist()))} distinct, ")
    say(f"{pc.sum(prompts['n_tokens']).as_py()} tokens, {len(cells(folder))} cells")
    found: dict[str, Any] = {}

    sweeps, raws = [], []
    for repeat in range(arguments.repeats):
        if "sweep" in parts:
            sweeps.append(timed(arguments, folder, "sweep", f"sweep{repeat}"))
        if "raw" in parts:
            raws.append(timed(arguments, folder, "raw", f"raw{repeat}"))
    sweep = min(sweeps, key=lambda run: run["generate_s"], default=None)
    raw = min(raws, key=lambda run: run["generate_s"], default=None)
    if "per-cell" in parts:
        runs = [timed(arguments, folder, "cell", "cell", cell) for cell in cells(folder)]
        per_cell = sum(run["wall_s"] for run in runs)
        say(f"per-cell: {per_cell:.1f} s in all")
        if sweep:
            # The better sweep's process, start and loading included, as for the cells.
            found["sweep_speedup_vs_engine_per_cell"] = per_cell / sweep["wall_s"]
    if "one-by-one" in parts:
        single = timed(arguments, folder, "one-by-one", "single")
        if sweep:
            # In time per prompt: the loop has no journal, so it answers repeated prompts again;
            # it is spared that here.
            found["sweep_speedup_vs_one_at_a_time"] = single["generate_s"] / sweep["generate_s"]
    if sweep and raw:
        found["raw_engine_fraction"] = raw["generate_s"] / sweep["generate_s"]
    if "shuffled" in parts:
        both = {
            order: timed(arguments, folder, role, order)
            for order, role in (("prefix", "small-cache"), ("shuffled", "small-cache-shuffled"))
        }
        computed = {o: run["prompt_tokens"] - run["cached_tokens"] for o, run in both.items()}
        found["prefill_tokens_saved_fraction"] = 1 - computed["prefix"] / computed["shuffled"]
        found["prefix_order_speedup"] = (
            both["shuffled"]["generate_s"] / both["prefix"]["generate_s"]
        )
    if "killed" in parts:
        lost, repeated = killed(arguments, folder)
        found |= {"answers_lost": lost, "answers_repeated": repeated}
    for name, run in (("sweep", sweep), ("raw", raw)):
        if run:
            found |= {f"{name}_{key}": value for key, value in run.items()}
    return found


def timed(
    arguments: argparse.Namespace, folder: Path, role: str, name: str, cell: Path | None = None
) -> dict[str, Any]:
    """Run one role in a process; its own report and the process's whole time."""
    watch = Stopwatch()
    with open(folder / "log.txt", "ab") as log:
        process = start(arguments, folder, role, folder / name, log, cell)
        if process.wait() != 0:
            sys.exit(f"{role} failed:\n{(folder / 'log.txt').read_text()[-3000:]}")
    report = json.loads((folder / name / "report.json").read_text())
    report["wall_s"] = watch.seconds()
    detail = ", ".join(f"{key} {value:g}" for key, value in report.items())
    say(f"{name if cell is None else cell}: {detail}")
    return report


def start(
    arguments: argparse.Namespace,
    folder: Path,
    role: str,
    output: Path,
    log: Any,
    cell: Path | None = None,
) -> subprocess.Popen:
    output.mkdir(exist_ok=True)
    if not (output / "prompts").exists():
        (output / "prompts").symlink_to(folder / "prompts")
    options = {
        "--checkpoint": arguments.checkpoint,
        "--device": arguments.device,
        "--dtype": arguments.dtype,
        "--new-tokens": arguments.new_tokens,
        "--role": role,
        "--folder": output,
        **({"--cell": cell} if cell else {}),
    }
    command = [sys.executable, __file__, *(str(x) for pair in options.items() for x in pair)]
    return subprocess.Popen(
        command + ["--compiled"] * arguments.compiled,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def killed(arguments: argparse.Namespace, folder: Path) -> tuple[int, int]:
    """Answers lost and answers generated twice when the sweep is killed and run again."""
    output = folder / "killed"
    journal = output / "journal.jsonl"
    moments = random.Random(0)
    total = len(set(read_prompts(prompt_files(folder))["prompt_hash"].to_pylist()))
    with open(folder / "log.txt", "ab") as log:
        for _ in range(arguments.kills):
            # Small batches, so that answers come all along the run.
            process = start(arguments, folder, "small-cache", output, log)
            before = len(journal_keys(journal))
            enough = before + moments.randrange(1, total // arguments.kills)
            while process.poll() is None and len(journal_keys(journal)) < enough:
                time.sleep(0.05)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            say(f"killed with {len(journal_keys(journal))} of {total} answers in the journal")
    timed(arguments, folder, "small-cache", "killed")
    keys = journal_keys(journal)
    prompts = read_prompts(prompt_files(folder))
    answered = sum(len(read_arrow(path)) for path in output.rglob("completions/*/*/*.parquet"))
    repeated = sum(count - 1 for count in Counter(keys).values())
    return len(prompts) - answered, repeated


def journal_keys(path: Path) -> list[str]:
    if not path.exists():
        return []
    entries = map(json.loads, path.read_bytes().split(b"\n")[:-1])
    return [entry["key"] for entry in entries if "key" in entry]


def select_prompts(arguments: argparse.Namespace, target: Path) -> None:
    """The first queries of every file of prompts."""
    paths = sorted(arguments.prompts.glob("*/*.parquet"))
    if not paths:
        sys.exit(f"{arguments.prompts}: no prompts. Run the demo's build_prompts, or --prompts.")
    for path in paths:
        table = read_arrow(path)
        first = list(dict.fromkeys(table["query_id"].to_pylist()))[: arguments.queries]
        table = table.filter(pc.is_in(table["query_id"], pc.cast(first, "string")))
        write_table(table, target / path.parent.name / path.name)


def prompt_files(folder: Path) -> list[Path]:
    return sorted((folder / "prompts").glob("*/*.parquet"))


def cells(folder: Path) -> list[Path]:
    """`{task}/{retriever}/k{k}.parquet` of every cell."""
    return [
        Path(path.parent.name, path.stem, f"k{k}.parquet")
        for path in prompt_files(folder)
        for k in dict.fromkeys(read_arrow(path, ["k"])["k"].to_pylist())
    ]


def settings(arguments: argparse.Namespace, **vllm: Any) -> dict[str, Any]:
    given = {
        "device": arguments.device,
        "max_new_tokens": arguments.new_tokens,
        "vllm": {"enforce_eager": not arguments.compiled, **vllm},
    }
    return with_defaults(given, load_schema("generation.schema.yaml"))


def job_of(arguments: argparse.Namespace, seed: int | None = None, **vllm: Any) -> GenerationJob:
    return GenerationJob(
        model="benchmark",
        precision="benchmark",
        served_precision="benchmark",
        checkpoint=arguments.checkpoint,
        original=arguments.checkpoint,
        dtype=arguments.dtype,
        kv_cache_dtype="auto",
        settings=settings(arguments, **vllm),
        shuffle_seed=seed,
        threads=len(os.sched_getaffinity(0)),
        source={},
    )


def run_sweep(arguments: argparse.Namespace, seed: int | None = None, **vllm: Any) -> None:
    folder = arguments.folder
    generate_cells(
        job_of(arguments, seed, **vllm),
        prompt_files(folder),
        [folder / "completions" / cell for cell in cells(folder)],
        folder / "costs.json",
        folder / "journal.jsonl",
    )
    session = [
        json.loads(line)
        for line in (folder / "journal.jsonl").read_text().splitlines()
        if '"session"' in line
    ][-1]
    keys = ["load_s", "generate_s", "prompt_tokens", "cached_tokens", "output_tokens"]
    write_report(folder, **{key: session[key] for key in keys})


def small_cache(arguments: argparse.Namespace) -> dict[str, Any]:
    """Settings with room for five of the longest prompts, four of them running.

    On the paper's grid a GPU's cache holds a ten-thousandth of all prompts; the benchmark's few
    would stay in a cache of the usual size whatever order they come in.
    """
    from quantrag.checkpoints import read_config
    from quantrag.sizing import kv_bytes_per_token

    longest = pc.max(read_prompts(prompt_files(arguments.folder))["n_tokens"]).as_py()
    tokens = 5 * (longest + arguments.new_tokens)
    per_token = kv_bytes_per_token(read_config(arguments.checkpoint), arguments.dtype)
    return {
        "kv_cache_gib": tokens * per_token / 2**30,
        "max_num_seqs": 4,
        "block_size": 32,
    }


def run_raw(arguments: argparse.Namespace) -> None:
    """`LLM.generate` with the same engine arguments and sampling, prompts in the same order."""
    ids, parameters = loaded(arguments, cell=None)
    watch = Stopwatch()
    llm = start_llm(arguments, max(map(len, ids)))
    load_s = watch.seconds()
    watch = Stopwatch()
    outputs = llm.generate([{"prompt_token_ids": x} for x in ids], parameters(), use_tqdm=False)
    generate_s = watch.seconds()
    write_report(
        arguments.folder,
        load_s=load_s,
        generate_s=generate_s,
        prompt_tokens=sum(map(len, ids)),
        cached_tokens=sum(output.num_cached_tokens for output in outputs),
        output_tokens=sum(len(output.outputs[0].token_ids) for output in outputs),
    )


def run_cell(arguments: argparse.Namespace) -> None:
    """One cell in an engine of its own."""
    ids, parameters = loaded(arguments, arguments.cell)
    llm = start_llm(arguments, max(map(len, ids)))
    watch = Stopwatch()
    llm.generate([{"prompt_token_ids": x} for x in ids], parameters(), use_tqdm=False)
    write_report(arguments.folder, generate_s=watch.seconds())


def run_one_by_one(arguments: argparse.Namespace) -> None:
    """The usual loop: one prompt at a time through `transformers`."""
    import torch
    from transformers import AutoModelForCausalLM

    ids, _ = loaded(arguments, cell=None)
    sampling = sampling_of(job_of(arguments))
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
    write_report(
        arguments.folder,
        load_s=load_s,
        generate_s=watch.seconds(),
        prompt_tokens=sum(map(len, ids)),
        output_tokens=output_tokens,
    )


def loaded(arguments: argparse.Namespace, cell: Path | None) -> tuple[list[list[int]], Any]:
    """Distinct prompts in prefix order (or one cell's in their own), and vLLM's parameters."""
    table = read_prompts(prompt_files(arguments.folder))
    if cell is not None:
        wanted = (cell.parts[0], cell.parts[1], cell.stem.removeprefix("k"))
        for name, value in zip(("task", "retriever", "k"), wanted, strict=True):
            table = table.filter(pc.equal(table[name], value))
    ids = table["token_ids"].to_pylist()
    if cell is None:
        arrays = {tuple(x): table["token_ids"][i].values.to_numpy() for i, x in enumerate(ids)}
        distinct = list(arrays)
        order = ordered(range(len(distinct)), lambda row: arrays[distinct[row]], "prefix", None)
        ids = [list(distinct[row]) for row in order]

    def parameters() -> Any:
        from vllm import SamplingParams

        sampling = sampling_of(job_of(arguments))
        return SamplingParams(
            temperature=0.0,
            max_tokens=sampling.max_new_tokens,
            logprobs=sampling.first_token_candidates,
            ignore_eos=True,
            stop_token_ids=list(sampling.stop_token_ids),
        )

    return ids, parameters


def start_llm(arguments: argparse.Namespace, longest: int) -> Any:
    """vLLM's `LLM`, as a user would start it: the engine in processes of its own."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))))
    os.environ["VLLM_CPU_OMP_THREADS_BIND"] = cores
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
    )


def write_report(folder: Path, **values: float) -> None:
    (folder / "report.json").write_text(json.dumps(values))


def write_random_7b(folder: Path, tokenizer: Path) -> None:
    """A Llama of 7B random weights in bfloat16 (13 GB), with another checkpoint's tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    if (folder / "config.json").exists():
        return
    vocabulary = json.loads((tokenizer / "config.json").read_text())["vocab_size"]
    config = LlamaConfig(vocab_size=vocabulary, max_position_embeddings=8192, eos_token_id=2)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_default_dtype(torch.bfloat16)
    with torch.device(device):
        model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    for path in tokenizer.glob("*token*"):
        shutil.copy(path, folder)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


ROLES = {
    "sweep": run_sweep,
    "raw": run_raw,
    "cell": run_cell,
    "one-by-one": run_one_by_one,
    "small-cache": lambda arguments: run_sweep(arguments, **small_cache(arguments)),
    "small-cache-shuffled": lambda arguments: run_sweep(arguments, 0, **small_cache(arguments)),
}

if __name__ == "__main__":
    main()
