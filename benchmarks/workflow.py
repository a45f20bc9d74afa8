"""What Snakemake itself takes on the paper's grid: the plan, each job, a run with nothing to do.

The plan is that of config/config.yaml. The run is the same grid at full width, every rule for real,
on random models of two layers, with a server that answers at once (tests/paper_grid.py).

    python benchmarks/workflow.py [--users 20] [--models 6] [--cores 2] [--quick] [--json [FILE]]

`overhead_seconds_per_job` is the wall time that no script used: (wall - sum of each job's seconds
times its threads / cores) / jobs. It holds Snakemake's own work, its polling, and cores left idle
where nothing else could run. A script's seconds count from the start of its Python. On a busy
machine all of it grows; `run_processor_seconds` (of Snakemake and all jobs) hardly does.
"""

import argparse
import csv
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "workflow" / "scripts")]

import yaml  # noqa: E402

from benchmarks.parts import common  # noqa: E402
from paper_grid import AnswerServer, write_grid  # noqa: E402
from running import copy_project, job_counts, run_snakemake  # noqa: E402

UNITS = {
    "paper_dag_seconds": "s (goal: below 10)",
    "overhead_seconds_per_job": "s (goal: below 1)",
    "noop_seconds": "s",
    "run_seconds": "s (goal: below 480)",
    "run_processor_seconds": "s",
}


def main() -> None:
    parser = common.parser_of(__doc__)
    parser.add_argument("--users", type=int, default=20, help="queries of each task")
    parser.add_argument("--models", type=int, default=6)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--plans", type=int, default=3, help="how often to plan; the median counts")
    parser.add_argument("--keep", type=Path, help="run in this new folder and keep it")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.users, arguments.models, arguments.plans = 4, 1, 1
    common.run(measure, arguments)


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """The plan of the paper's grid, and its run on stand-ins."""
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="quantrag-"))
    try:
        project = copy_project(ROOT, folder / "project")
        numbers = plan(project, arguments.plans)
        numbers |= run(project, folder / "stand-ins", arguments)
    finally:
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)
    by_rule = numbers["seconds_by_rule"]
    rows = [(key, f"{value} {UNITS.get(key, '')}") for key, value in numbers.items()]
    common.show("workflow", [row for row in rows if row[0] != "seconds_by_rule"])
    common.show("core seconds of each rule", [(rule, f"{s} s") for rule, s in by_rule.items()])
    return numbers


def plan(project: Path, repeats: int) -> dict[str, float | int]:
    """Seconds from the command to the planned jobs of the paper's grid, and how many they are."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        done = run_snakemake(project, "-n", "--cores", "8")
        seconds.append(time.perf_counter() - started)
        check(done)
    counts = job_counts(done.stdout + done.stderr)
    return {
        "paper_dag_seconds": round(sorted(seconds)[len(seconds) // 2], 2),
        "paper_generate_jobs": counts["generate"],
        "paper_total_jobs": sum(counts.values()),
    }


def run(project: Path, stand_ins: Path, arguments: argparse.Namespace) -> dict[str, object]:
    """Run the grid on stand-ins, then again with nothing to do."""
    config = write_grid(
        ROOT / "config" / "config.yaml", stand_ins, arguments.users, arguments.models
    )
    if arguments.quick:
        keep_little(config)
    options = ["--cores", arguments.cores, "--configfile", config, "--benchmark-extended"]
    # On small data their time is imports, which no second thread shortens: as in profiles/demo.
    options += ["--set-threads", "build_prompts=1"]
    load = os.getloadavg()[0]
    with AnswerServer(config) as server:
        os.environ["OPENAI_BASE_URL"] = server.url
        started, before = time.perf_counter(), processor_seconds()
        done = run_snakemake(project, *options, timeout=3000)
        seconds = time.perf_counter() - started
        processor = processor_seconds() - before
    check(done)
    jobs = job_records(project / "results" / "stub" / "benchmarks")
    used = sum(s * threads for s, threads in jobs.values())
    started = time.perf_counter()
    done = run_snakemake(project, *options)
    noop_seconds = time.perf_counter() - started
    check(done)
    if "Nothing to be done" not in done.stdout + done.stderr:
        raise SystemExit("error: the second run had something to do")
    return {
        "overhead_seconds_per_job": round((seconds - used / arguments.cores) / len(jobs), 2),
        "noop_seconds": round(noop_seconds, 2),
        "run_seconds": round(seconds, 1),
        "run_processor_seconds": round(processor, 1),
        "run_jobs": len(jobs),
        "run_models": arguments.models,
        "run_queries_per_task": arguments.users,
        "seconds_by_rule": by_rule(jobs),
        "run_cores": arguments.cores,
        "load_before": round(load, 1),
    }


def keep_little(config: Path) -> None:
    """Leave one task, one retriever and the baseline of a grid, for a run of less than a minute."""
    content = yaml.safe_load(config.read_text(encoding="utf-8"))
    for key in ("tasks", "retrievers"):
        content[key] = dict(list(content[key].items())[:1])
    content["precisions"] = {content["baseline"]: content["precisions"][content["baseline"]]}
    content["noise_floor"] = False
    config.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def processor_seconds() -> float:
    """Processor time of all child processes that have ended, theirs included."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def job_records(folder: Path) -> dict[str, tuple[float, int]]:
    """Seconds and threads of each job, by the path of its benchmark file."""
    records = {}
    for path in sorted(folder.rglob("*.tsv")):
        with open(path, newline="") as stream:
            row = next(csv.DictReader(stream, delimiter="\t"))
        records[str(path.relative_to(folder))] = (float(row["s"]), int(row["threads"]))
    return records


def by_rule(jobs: dict[str, tuple[float, int]]) -> dict[str, float]:
    """Core seconds of each rule's jobs together, the largest first."""
    sums: dict[str, float] = {}
    for path, (seconds, threads) in jobs.items():
        rule = path.split("/")[0].removesuffix(".tsv")
        sums[rule] = sums.get(rule, 0.0) + seconds * threads
    return {rule: round(sums[rule], 1) for rule in sorted(sums, key=sums.get, reverse=True)}


def check(done) -> None:
    if done.returncode:
        raise SystemExit((done.stdout + done.stderr)[-4000:])


if __name__ == "__main__":
    main()
