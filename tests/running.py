"""Running Snakemake in a copy of the project, for the workflow and end-to-end tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PARTS = ["Snakefile", "config", "envs", "profiles", "workflow"]


def copy_project(source: Path, target: Path) -> Path:
    """Copy what a run needs; caches of Python are left behind."""
    target.mkdir(parents=True)
    for part in PARTS:
        if (source / part).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source / part, target / part, ignore=ignore)
        else:
            shutil.copy2(source / part, target / part)
    return target


def run_snakemake(folder: Path, *arguments: str, timeout: float = 600):
    """Run Snakemake of this environment in `folder`; gives the completed process."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--nocolor", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def job_counts(output: str) -> dict[str, int]:
    """Jobs per rule, from the first table `Job stats` that Snakemake prints."""
    lines = iter(output.splitlines())
    counts = {}
    for line in lines:
        if line.startswith("Job stats"):
            next(lines), next(lines)
            for row in lines:
                if not row.strip():
                    break
                rule, count = row.split()[:2]
                counts[rule] = int(count)
                if rule == "total":
                    break
            break
    return {rule: count for rule, count in counts.items() if rule not in ("all", "total")}
