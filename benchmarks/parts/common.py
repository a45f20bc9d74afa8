"""What every benchmark needs: its options, the machine's name, timing in turn, a table, JSON."""

import argparse
import contextlib
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

CORES = len(os.sched_getaffinity(0))


def parser_of(document: str) -> argparse.ArgumentParser:
    """A parser with the options that all benchmarks have; the first line of `document` says what
    the benchmark does."""
    parser = argparse.ArgumentParser(description=document.partition("\n")[0])
    parser.add_argument(
        "--json",
        nargs="?",
        const="-",
        metavar="FILE",
        help="write the numbers to this file as JSON; without FILE to the output, where nothing "
        "else is then printed",
    )
    parser.add_argument("--quick", action="store_true", help="smaller, in less than a minute")
    return parser


def run(measure: Callable[[argparse.Namespace], dict[str, Any]], arguments: argparse.Namespace):
    """Measure, and write the numbers where `--json` says."""
    # For all that is measured: as the workflow's jobs have it (`quantrag.runtime.jobs`).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    alone_on_output = arguments.json == "-"
    with output_to_stderr() if alone_on_output else contextlib.nullcontext():
        print(machine())
        numbers = {**measure(arguments), "machine": machine(), "quick": arguments.quick}
    text = json.dumps(numbers, indent=2) + "\n"
    if alone_on_output:
        print(text, end="")
    elif arguments.json:
        Path(arguments.json).write_text(text, encoding="utf-8")


@contextlib.contextmanager
def output_to_stderr() -> Iterator[None]:
    """Send standard output to standard error, what child processes and Java write to it too."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def machine() -> str:
    """Processor, usable cores, memory and Python."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = names[0] if names else platform.processor()
    return f"{name}, {CORES} cores, {gib:.0f} GiB, Python {platform.python_version()}"


def show(title: str, rows: Sequence[tuple[str, str]]) -> None:
    """Print a table of labels and values with units."""
    print(f"\n{title}")
    for label, value in rows:
        print(f"  {label:<62} {value:>20}")
    sys.stdout.flush()


def in_turn(
    repeats: int, functions: Mapping[str, Callable[[], Any]]
) -> tuple[dict[str, float], dict[str, float], dict[str, Any]]:
    """Run each function `repeats` times, taking turns, so that a machine's moods meet all alike.

    Returns:
        Median seconds of each, median processor seconds of each (all threads of this process),
        and what each returned last.
    """
    walls: dict[str, list[float]] = {name: [] for name in functions}
    processor: dict[str, list[float]] = {name: [] for name in functions}
    results = {}
    for _ in range(repeats):
        for name, function in functions.items():
            wall, cpu = time.perf_counter(), time.process_time()
            results[name] = function()
            walls[name].append(time.perf_counter() - wall)
            processor[name].append(time.process_time() - cpu)
    medians = [{n: statistics.median(v) for n, v in kind.items()} for kind in (walls, processor)]
    return medians[0], medians[1], results


def peak_gib() -> float:
    """Most resident memory that this program has had so far, pages of mapped files included.

    Not `getrusage`'s figure, which a new process takes over from the one that started it.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 2**20


def alone(function: Callable[..., Any], *arguments: Any) -> Any:
    """Run in a fresh process, whose peak memory is its own. By spawn: Java must not be forked."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()
