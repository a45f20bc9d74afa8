"""What one engine lifetime, prefix order and the journal bring, against how it is usually done.

One model, one precision, the same prompts and the same answers wanted of everybody:

  sweep          this project's `generate`: one engine start, prefix order, journal
  per-cell       one engine start per cell of the grid (task x retriever x k)
  one-at-a-time  a loop over `transformers.generate`, a prompt at a time, the model loaded once
  raw            vLLM's own `LLM.generate`, same prompts in the same order: the physical limit here
  order          the sweep in prefix order and in a random one, the cache far smaller than the grid
  killed         the sweep, killed (SIGKILL) several times: answers lost or generated twice
  likelihood     the sweep with likelihoods and without: the baseline's, and a quantized one's with
                 the baseline's answers; and as they are usually measured, by `prompt_logprobs` of
                 `LLM.generate` over prompt and text
  shuffled       the sweep in a random order, the cache as large as it usually is
  precisions     sweep and raw at every precision, and how long the work's arithmetic and reading
                 of memory would take at the device's rates, measured in this run in 16 bits

    python benchmarks/generation.py [--json FILE] [--quick] [--parts a,b] [--queries 4]

Every measurement is a process of its own; sweep, raw and likelihood run `--repeats` times in turn,
and medians count. Prompts are the files that `build_prompts` writes; the demo's and its model are
the default; `--quantized` is another precision of the same model, the demo's INT4.
For the sizes of a real model without a download: `--random-model 7b --device cuda`, which writes
24 GB of random weights in three precisions below TMPDIR and runs `precisions`, `shuffled` and
`one-at-a-time` once on 40 queries (eight engine starts); `--random-model tiny` tries that on a CPU
with AVX-512.
`--quick`: one query a task, 8 new tokens, only `sweep` and `one-at-a-time`.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import statistics

import pyarrow.compute as pc

from benchmarks.parts import common, device_rates
from benchmarks.parts.generation_prompts import cells, prompt_files, select_prompts
from benchmarks.parts.random_model import PRECISIONS, SHAPES, write_checkpoint, write_prompts
from quantrag.generation.cell_tables import read_prompts
from quantrag.runtime.telemetry import Stopwatch
from quantrag.tables import read_arrow

ROOT = Path(__file__).resolve().parents[1]
CHECKPOINT = ROOT / "resources/checkpoints/smollm2-135m-instruct/original"
QUANTIZED = ROOT / "results/demo/checkpoints/smollm2-135m-instruct/int4-gptq"
PROMPTS = ROOT / "results/demo/prompts/smollm2-135m-instruct"
GOALS = {
    "sweep_speedup_vs_engine_per_cell": 3.0,
    "sweep_speedup_vs_one_at_a_time": 4.0,
    "raw_engine_fraction": 0.9,
    # At most: generation with likelihoods over generation without.
    "gold_cost": 1.1,
    "gold_and_baseline_cost": 1.1,
}
PARTS = "sweep,per-cell,one-at-a-time,raw,order,killed,likelihood"
PARTS_OF_RANDOM = "precisions,shuffled,one-at-a-time"
KEYS = [
    *GOALS,
    "prefill_tokens_saved_fraction",
    "prefix_order_speedup",
    "answers_lost",
    "answers_repeated",
    "prompt_logprobs_cost",
]


def main() -> None:
    parser = common.parser_of(__doc__)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--quantized", type=Path, default=QUANTIZED, help="for `likelihood`")
    parser.add_argument("--prompts", type=Path, default=PROMPTS)
    parser.add_argument("--queries", type=int, help="per task; 4, of a random model 40")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--new-tokens", type=int, default=64)
    parser.add_argument("--compiled", action="store_true", help="without enforce_eager")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--repeats", type=int, help="of most parts; 3, of a random model 1")
    parser.add_argument("--parts", help=f"{PARTS}; of a random model {PARTS_OF_RANDOM}")
    parser.add_argument("--random-model", choices=SHAPES, help="random weights of this shape")
    parser.add_argument(
        "--precisions",
        default=",".join(PRECISIONS),
        help="of --random-model; the first one is the baseline",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.precisions.split(",")) - PRECISIONS.keys():
        parser.error(f"unknown precision {min(unknown)!r}. Allowed: {', '.join(PRECISIONS)}")
    if arguments.quick:
        arguments.parts, arguments.repeats = "sweep,one-at-a-time", 1
        arguments.queries, arguments.new_tokens = 1, 8
    random_model = arguments.random_model
    arguments.parts = arguments.parts or (PARTS_OF_RANDOM if random_model else PARTS)
    arguments.queries = arguments.queries or (40 if random_model else 4)
    arguments.repeats = arguments.repeats or (1 if random_model else 3)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    common.run(measure, arguments)


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run the parts one after the other; keys without a measurement are None."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.random_model:
            checkpoints = random_checkpoints(arguments, folder)
        else:
            checkpoints = {"baseline": arguments.checkpoint, "quantized": arguments.quantized}
            select_prompts(arguments.prompts, folder / "prompts", arguments.queries)
        prompts = read_prompts(prompt_files(folder))
        distinct = len(set(prompts["prompt_hash"].to_pylist()))
        tokens = pc.sum(prompts["n_tokens"]).as_py()
        say(
            f"{len(prompts)} prompts ({distinct} distinct, {tokens:,} tokens) in "
            f"{len(cells(folder))} cells, {arguments.new_tokens} new tokens"
        )
        found = dict.fromkeys(KEYS)
        parts = arguments.parts.split(",")
        known = {}
        if "precisions" in parts:
            numbers, known = precisions(arguments, folder, checkpoints)
            found |= numbers
        found |= compared(arguments, folder, known)
        if "order" in parts:
            found |= prefix_order(arguments, folder)
        if "killed" in parts:
            found |= killed(arguments, folder)
        if "likelihood" in parts:
            found |= likelihood_costs(arguments, folder)
    rows = []
    for key, value in found.items():
        goal = f"   (goal {GOALS[key]:g})" if key in GOALS else ""
        if not isinstance(value, dict):
            rows.append((key + goal, printed(value)))
    common.show("generation", rows)
    return found


def printed(value: float | str | None) -> str:
    if value is None:
        return "not measured"
    return value if isinstance(value, str) else f"{value:,.3f}"


def random_checkpoints(arguments: argparse.Namespace, folder: Path) -> dict[str, Path]:
    """Write prompts, and the checkpoints of a random model by precision; the first is the usual."""
    shape = SHAPES[arguments.random_model]
    write_prompts(folder / "prompts", shape, arguments.queries, arguments.new_tokens)
    checkpoints = {}
    for precision in arguments.precisions.split(","):
        path = folder / "checkpoints" / precision
        checkpoints[precision] = common.alone(
            write_checkpoint, path, shape, precision, arguments.device
        )
    arguments.checkpoint, arguments.quantized = (list(checkpoints.values()) * 2)[:2]
    return checkpoints


def in_turn(
    arguments: argparse.Namespace, folder: Path, roles: Sequence[str], prefix: str = ""
) -> dict[str, dict[str, Any]]:
    """What each role reports, medians of `--repeats` runs that take turns."""
    runs: dict[str, list[dict[str, Any]]] = {role: [] for role in roles}
    for repeat in range(arguments.repeats):
        for role, several in runs.items():
            several.append(timed(arguments, folder, role, f"{prefix}{role}{repeat}"))
    return {
        role: {
            key: value if isinstance(value, str) else statistics.median(run[key] for run in several)
            for key, value in several[0].items()
        }
        for role, several in runs.items()
    }


def precisions(
    arguments: argparse.Namespace, folder: Path, checkpoints: Mapping[str, Path]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Every precision's sweep, against the engine itself and against the device's 16-bit rates.

    Returns:
        What was found, and what the first precision's roles report.
    """
    limits = timed(arguments, folder, "limits", "limits")
    medians = {}
    for name, checkpoint in checkpoints.items():
        own = argparse.Namespace(**{**vars(arguments), "checkpoint": checkpoint})
        medians[name] = in_turn(own, folder, ("sweep", "raw"), f"{name}-")
    rows = {
        name: device_rates.against(limits, checkpoints[name], **reports)
        for name, reports in medians.items()
    }
    device_rates.show(limits, rows)
    return {"device": limits, "precisions": rows}, next(iter(medians.values()))


def compared(
    arguments: argparse.Namespace, folder: Path, known: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    """The sweep against an engine per cell, one prompt at a time and the engine itself.

    What is `known` isn't run again.
    """
    parts = arguments.parts.split(",")
    found: dict[str, Any] = {}
    asked = [role for role in ("sweep", "raw", "shuffled") if role in parts and role not in known]
    medians = {**known, **in_turn(arguments, folder, asked)}
    sweep, raw = medians.get("sweep"), medians.get("raw")
    if "per-cell" in parts:
        each = [timed(arguments, folder, "per-cell", "cell", cell) for cell in cells(folder)]
        for clock in ("wall_s", "processor_s"):
            found[f"per_cell_{clock}"] = sum(run[clock] for run in each)
        if sweep:
            # Whole processes on both sides: start, loading and generation.
            found["sweep_speedup_vs_engine_per_cell"] = found["per_cell_wall_s"] / sweep["wall_s"]
    if "one-at-a-time" in parts:
        single = timed(arguments, folder, "one-at-a-time", "single")
        found["one_at_a_time_generate_s"] = single["generate_s"]
        if sweep:
            # Generation alone. The loop is spared the repeated prompts that it would answer again,
            # and of many prompts it has only some.
            singly = single["generate_s"] / single["prompt_tokens"]
            together = sweep["generate_s"] / sweep["prompt_tokens"]
            found["sweep_speedup_vs_one_at_a_time"] = singly / together
    if sweep and raw:
        found["raw_engine_fraction"] = raw["generate_s"] / sweep["generate_s"]
    for name, values in medians.items():
        found |= {f"{name}_{key}": value for key, value in values.items()}
    return found


def prefix_order(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Tokens that are computed, and time, in prefix order and in a random one."""
    prefix = timed(arguments, folder, "small-cache", "prefix")
    shuffled = timed(arguments, folder, "small-cache-shuffled", "shuffled")
    computed = [run["prompt_tokens"] - run["cached_tokens"] for run in (prefix, shuffled)]
    return {
        "prefill_tokens_saved_fraction": 1 - computed[0] / computed[1],
        "prefix_order_speedup": shuffled["generate_s"] / prefix["generate_s"],
        "prefix_order_prefill_tokens": computed[0],
        "shuffled_prefill_tokens": computed[1],
        "prefix_order_generate_s": prefix["generate_s"],
        "shuffled_generate_s": shuffled["generate_s"],
    }


def likelihood_costs(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """What likelihoods cost beside the answers, as factors of the time of generation."""
    if not arguments.quantized.exists():
        sys.exit(f"{arguments.quantized}: no such folder. Run the demo, or name --quantized.")
    # The scored sweep of the baseline comes first: the quantized one reads its answers.
    roles = ("baseline-scored", "baseline", "quantized-scored", "quantized")
    reports = in_turn(arguments, folder, roles)
    # Many times as slow: once is enough.
    peer = "prompt-logprobs"
    reports[peer] = timed(arguments, folder, peer, peer)
    median = {role: report["generate_s"] for role, report in reports.items()}
    return {
        "gold_cost": median["baseline-scored"] / median["baseline"],
        "gold_and_baseline_cost": median["quantized-scored"] / median["quantized"],
        "prompt_logprobs_cost": median[peer] / median["baseline"],
        **{f"{role}_generate_s": value for role, value in median.items()},
    }


def killed(arguments: argparse.Namespace, folder: Path) -> dict[str, int]:
    """Answers lost and answers generated twice when the sweep is killed and run again."""
    output = folder / "killed"
    journal = output / "journal.jsonl"
    moments = random.Random(0)
    prompts = read_prompts(prompt_files(folder))
    total = len(set(prompts["prompt_hash"].to_pylist()))
    with open(folder / "log.txt", "ab") as log:
        for _ in range(arguments.kills):
            # Small batches, so that answers come all along the run.
            process = start(arguments, folder, "small-cache", output, log)
            before = len(journal_keys(journal))
            enough = before + moments.randrange(1, max(2, total // arguments.kills))
            while process.poll() is None and len(journal_keys(journal)) < enough:
                time.sleep(0.05)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            say(f"killed with {len(journal_keys(journal))} of {total} answers in the journal")
    timed(arguments, folder, "small-cache", "killed")
    answered = sum(len(read_arrow(path)) for path in output.rglob("completions/*/*/*.parquet"))
    repeated = sum(count - 1 for count in Counter(journal_keys(journal)).values())
    return {"answers_lost": len(prompts) - answered, "answers_repeated": repeated}


def journal_keys(path: Path) -> list[str]:
    """Keys of the whole lines, repetitions kept."""
    if not path.exists():
        return []
    entries = map(json.loads, path.read_bytes().split(b"\n")[:-1])
    return [entry["key"] for entry in entries if "key" in entry]


def timed(
    arguments: argparse.Namespace, folder: Path, role: str, name: str, cell: Path | None = None
) -> dict[str, Any]:
    """Run one role in a process; its own report, and wall and processor seconds of all of it."""
    watch, before = Stopwatch(), children_processor_s()
    with open(folder / "log.txt", "ab") as log:
        process = start(arguments, folder, role, folder / name, log, cell)
        try:
            failed = process.wait() != 0
        except BaseException:  # ended from outside: nothing goes on running
            os.killpg(process.pid, signal.SIGKILL)
            raise
        if failed:
            sys.exit(f"{role} failed:\n{(folder / 'log.txt').read_text()[-3000:]}")
    report = json.loads((folder / name / "report.json").read_text())
    report |= {"wall_s": watch.seconds(), "processor_s": children_processor_s() - before}
    detail = ", ".join(
        f"{key} {value if isinstance(value, str) else f'{value:.5g}'}"
        for key, value in report.items()
    )
    say(f"{name if cell is None else cell}: {detail}")
    return report


def children_processor_s() -> float:
    """Processor seconds of all processes that have ended below this one."""
    times = os.times()
    return times.children_user + times.children_system


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
        "--folder": output,
        "--checkpoint": arguments.checkpoint.resolve(),
        "--quantized": arguments.quantized.resolve(),
        "--device": arguments.device,
        "--dtype": arguments.dtype,
        "--new-tokens": arguments.new_tokens,
        **({"--cell": cell} if cell else {}),
    }
    command = [sys.executable, "-m", "benchmarks.parts.generation_roles", role]
    command += [str(x) for pair in options.items() for x in pair]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "workflow" / "scripts")])
    return subprocess.Popen(
        command + ["--compiled"] * arguments.compiled,
        stdout=log,
        stderr=log,
        cwd=output,
        env={**os.environ, "PYTHONPATH": paths},
        start_new_session=True,
    )


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
