"""A run of the workflow on answers that other programs recorded."""

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from running import copy_project, job_counts, run_snakemake

LOGS = Path(__file__).parents[1] / "unit" / "recorded" / "files" / "lm-eval"


@pytest.fixture(scope="module")
def compared(root, tmp_path_factory):
    """The results of comparing two runs of lm-evaluation-harness, made through `make compare`."""
    project = copy_project(root, tmp_path_factory.mktemp("recorded") / "project")
    shutil.copytree(LOGS, project / "logs of runs")
    script = "workflow/scripts/quantrag/recorded/compare_runs.py"
    runs = ["logs of runs/float32", "logs of runs/bfloat16", "--again", "logs of runs/float32"]
    subprocess.run(
        [sys.executable, script, "results/dtype.yaml", *runs], cwd=project, check=True, timeout=120
    )
    done = run_snakemake(project, "--cores", "2", "--configfile", "results/dtype.yaml")
    assert done.returncode == 0, done.stderr
    return project / "results" / "dtype"


def test_every_score_is_compared(compared):
    with (compared / "tables" / "comparisons.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(row["task"], row["metric"], row["n"]) for row in rows} == {
        ("kinds", "acc↑", "6"),
        ("kinds", "acc_norm↑", "6"),
        ("sums", "exact_match,flexible-extract↑", "4"),
        ("sums", "exact_match,strict-match↑", "4"),
    }
    # The same file twice: a noise floor of nothing.
    assert {float(row["noise_flip_rate"]) for row in rows} == {0.0}


def test_stages_without_inputs_are_left_out(compared):
    tables = {path.name for path in (compared / "tables").glob("*.csv")}
    assert {"scores.csv", "comparisons.csv"} <= tables
    assert tables.isdisjoint({"costs.csv", "checkpoints.csv", "retrievers.csv", "trends.csv"})
    assert {path.stem for path in (compared / "figures").iterdir()} == {"forest", "flips"}
    page = (compared / "report.html").read_text(encoding="utf-8")
    assert "A robin is a kind of" in page
    assert "What generated the answers" not in page


def test_a_finished_comparison_runs_nothing_again(compared):
    project = compared.parents[1]
    done = run_snakemake(project, "-n", "--cores", "2", "--configfile", "results/dtype.yaml")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_it_may_lie_elsewhere(compared, tmp_path):
    project = compared.parents[1]
    shutil.copytree(LOGS, tmp_path / "logs of runs")
    there = ("--directory", str(tmp_path), "--configfile", str(project / "results" / "dtype.yaml"))
    done = run_snakemake(project, "-n", "--cores", "1", *there)
    assert done.returncode == 0, done.stderr
    assert job_counts(done.stdout + done.stderr)["report_recorded"] == 1
