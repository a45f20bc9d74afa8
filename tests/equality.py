"""Whether the code at hand gives the tables of a finished experiment, byte for byte.

    python tests/equality.py FOLDER [--renamed OLD=NEW ...] [--prompts] [--scratch FOLDER]

FOLDER is a checkout (of any version) in which `make demo` has finished. Its results are copied to a
scratch checkout of this code, where the tasks are read again, and then everything from the
completions on is made again. Every answer must be in the journals: not one is generated. With
`--prompts`, retrieval and prompts are made again too, and must be the same prompts. Checkpoints,
calibration texts and perplexities are taken over: they take minutes.

Ends with 1 and the first rows that differ where a table is not the same.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from itertools import islice, zip_longest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

from quantrag.tables import read_table
from running import copy_project, run_snakemake

ROOT = Path(__file__).resolve().parents[1]
MADE_AGAIN = [
    *["tasks", "completions", "costs", "scores", "scores.parquet"],
    *["tables", "figures", "report.html"],
]
PROMPTS = ["indexes", "runs", "prompts"]
SHOWN_ROWS = 5


def main() -> int:
    arguments = parse_arguments()
    old = arguments.folder.resolve() / "results" / arguments.experiment
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(arguments.scratch or temporary) / "checkout"
        copy_project(ROOT, scratch)
        for part in ("results", "resources"):
            shutil.copytree(arguments.folder / part, scratch / part, symlinks=True)
        new = scratch / "results" / arguments.experiment
        remove(new, [*MADE_AGAIN, *(PROMPTS if arguments.prompts else [])])
        first = relative(old, "prompts" if arguments.prompts else "tasks", arguments.experiment)
        make(scratch, arguments, first)
        # Whatever is there counts as made from what has just been written: all of one age.
        now = time.time()
        for path in [*(scratch / "resources").rglob("*"), *new.rglob("*")]:
            os.utime(path, (now, now), follow_symlinks=False)
        tables = relative(old, "tables", arguments.experiment)
        make(scratch, arguments, [path for path in tables if path.suffix == ".csv"])
        problems = other_prompts(old / "prompts", new / "prompts")
        problems += generated(scratch / "logs" / arguments.experiment / "generate")
        for path in sorted((old / "tables").glob("*.csv")):
            problems += differences(path, new / "tables" / path.name, arguments.renamed)
    print("\n".join(problems) or "All tables are the same, byte for byte.")
    return 1 if problems else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="checkout with the finished experiment")
    parser.add_argument("--experiment", default="demo")
    parser.add_argument("--profile", default="profiles/demo", help="of Snakemake, here")
    parser.add_argument(
        "--renamed", nargs="*", default=[], metavar="OLD=NEW", help="columns that were renamed"
    )
    parser.add_argument("--prompts", action="store_true", help="from retrieval on")
    parser.add_argument("--scratch", help="folder to work in, which is kept; else a temporary one")
    return parser.parse_args()


def remove(results: Path, names: list[str]) -> None:
    for path in (results / name for name in names):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def relative(results: Path, part: str, experiment: str) -> list[Path]:
    """The files of a part of the results, as targets."""
    paths = sorted(path for path in (results / part).rglob("*") if path.is_file())
    return [Path("results") / experiment / path.relative_to(results) for path in paths]


def make(scratch: Path, arguments: argparse.Namespace, targets: list[Path]) -> None:
    options = ["--profile", arguments.profile, "--rerun-triggers", "mtime"]
    done = run_snakemake(scratch, *options, "--", *targets, timeout=3600)
    if done.returncode:
        sys.exit(f"{done.stdout}\n{done.stderr}\nequality: Snakemake failed in {scratch}")


def other_prompts(old: Path, new: Path) -> list[str]:
    columns = ["query_id", "k", "prompt_hash", "document_ids"]
    return [
        f"{path.relative_to(old)}: other prompts"
        for path in sorted(old.rglob("*.parquet"))
        if not read_table(path, columns)
        .map(str)
        .equals(read_table(new / path.relative_to(old), columns).map(str))
    ]


def generated(logs: Path) -> list[str]:
    """A problem for each job that did not find all answers in its journal."""
    found = sorted(logs.rglob("*.log"))
    problems = [] if found else [f"{logs}: no job generated"]
    return problems + [
        f"{path.relative_to(logs)}: answers were generated"
        for path in found
        if ", 0 to generate" not in path.read_text(encoding="utf-8")
    ]


def differences(old: Path, new: Path, renamed: list[str]) -> list[str]:
    """The first rows of a table that differ, once its old columns have their new names."""
    names = dict(pair.split("=") for pair in renamed)
    header, _, rows = old.read_text(encoding="utf-8").partition("\n")
    header = ",".join(names.get(name, name) for name in header.split(","))
    if not new.is_file():
        return [f"{old.name}: not made"]
    before, after = f"{header}\n{rows}", new.read_text(encoding="utf-8")
    pairs = zip_longest(before.splitlines(), after.splitlines(), fillvalue="(none)")
    other = (pair for pair in enumerate(pairs, start=1) if pair[1][0] != pair[1][1])
    shown = [
        f"{old.name}, line {number}:\n  before: {first}\n  now:    {second}"
        for number, (first, second) in islice(other, SHOWN_ROWS)
    ]
    if before != after and not shown:
        return [f"{old.name}: other line ends"]
    return shown


if __name__ == "__main__":
    sys.exit(main())
