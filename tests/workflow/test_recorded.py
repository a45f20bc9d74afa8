"""Runs of the workflow on answers that other programs recorded."""

import csv
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from running import copy_project, job_counts, run_snakemake

LOGS = Path(__file__).parents[1] / "unit" / "recorded" / "files" / "lm-eval"


@pytest.fixture(scope="module")
def comparison(root, tmp_path_factory):
    """A comparison of two runs of lm-evaluation-harness by `make compare`: folder and output."""
    project = copy_project(root, tmp_path_factory.mktemp("recorded") / "project")
    shutil.copytree(LOGS, project / "logs of runs")
    shutil.copy(root / "Makefile", project)
    # The environment that is there, in place of the one that make would install.
    (project / ".venv").symlink_to(sys.prefix)
    runs = "RUNS='logs of runs/float32' 'logs of runs/bfloat16'"
    done = subprocess.run(
        ["make", "-o", "env", "compare", runs, "AGAIN='logs of runs/float32'", "NAME=dtype"],
        cwd=project,
        # Without what a make that runs the tests hands down.
        env={name: text for name, text in os.environ.items() if "MAKE" not in name},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return project / "results" / "dtype", done.stdout


@pytest.fixture(scope="module")
def compared(comparison):
    return comparison[0]


def test_make_prints_what_was_found_and_where_it_is(comparison):
    folder, printed = comparison
    assert (folder / "summary.txt").read_text(encoding="utf-8") in printed
    assert printed.endswith("Tables: results/dtype/tables/\nReport: results/dtype/report.html\n")


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


N, DROPPED = 2500, 13
SHORT, LONG = "it works as it should", "it " * 60


@pytest.fixture(scope="module")
def paper(root, tmp_path_factory):
    """Tables made of files in the form of the paper's answers and of LaMP's, all made up.

    LaMP-3U: FP16 rates as the user did. INT4 is one off in every fourth answer, and in every fourth
    goes on past its end. LaMP-5U: both give the user's title.
    """
    project = copy_project(root, tmp_path_factory.mktemp("paper") / "project")
    resources = project / "resources"
    long = set(range(5, N, N // DROPPED)[:DROPPED])
    ratings = [str(1 + n % 5) for n in range(N)]
    golds = {3: ratings, 5: [f"Title {n} of works" for n in range(N)]}
    texts = [f"{n} {LONG if n in long else SHORT}" for n in range(N)]
    fields = {3: {"text": "t", "score": "3"}, 5: {"abstract": "a", "title": "t"}}
    asks = {
        3: "What is the score of the following review on a scale of 1 to 5? just answer with 1, 2, "
        "3, 4, or 5 without further explanation. review: ",
        5: "Generate a title for the following abstract of a paper: ",
    }
    for lamp in (3, 5):
        write_json(
            resources / f"lamp/download/user/LaMP_{lamp}/dev_questions.json",
            [
                {"id": f"{n}", "input": asks[lamp] + text, "profile": [{"id": "0", **fields[lamp]}]}
                for n, text in enumerate(texts)
            ],
        )
        write_json(
            resources / f"lamp/download/user/LaMP_{lamp}/dev_outputs.json",
            {
                "task": f"LaMP_{lamp}",
                "golds": [{"id": f"{n}", "output": gold} for n, gold in enumerate(golds[lamp])],
            },
        )
    log = [
        {"id": f"{n}", "prompt": [{"role": "user", "content": f"Review:\n{t.strip()}\nScore:"}]}
        for n, t in enumerate(texts)
    ]
    write_json(resources / "paper-answers" / "queries_log.json", log)
    kept = {lamp: [g for n, g in enumerate(golds[lamp]) if n not in long] for lamp in golds}
    int4 = [
        ("2" if gold == "1" else str(int(gold) - 1)) if place % 4 == 0
        else f"{gold}</s><|user|>" if place % 4 == 1 else gold
        for place, gold in enumerate(kept[3])
    ]  # fmt: skip
    answers = {"D3/dev/K0/M": kept[3], "D3/dev/K0/M-AWQ": int4}
    answers |= {f"D5/dev/K0/M{end}": kept[5] for end in ("", "-AWQ")}
    for name, given in answers.items():
        path = resources / "paper-answers" / f"{name}.pkl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(given))
    results = [
        {
            "model": "M",
            "precision": precision,
            "task": task,
            "files": f"resources/paper-answers/{folder}/dev/K0/M{end}.pkl",
        }
        for task, folder in (("LaMP-3U", "D3"), ("LaMP-5U", "D5"))
        for precision, end in (("fp16", ""), ("int4-awq", "-AWQ"))
    ]
    made_up = {"experiment": "made-up", "recorded": {"results": results}}
    (project / "made-up.yaml").write_text(yaml.safe_dump(made_up), encoding="utf-8")
    return project


PAPER = ("config/paper-answers.yaml", "config/paper-answers-golds.yaml", "made-up.yaml")


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return {(row["task"], row["metric"]): row for row in csv.DictReader(file)}


def test_the_papers_answers_are_scored_by_golds(paper):
    done = run_snakemake(paper, "--cores", "2", "--configfile", *PAPER)
    assert done.returncode == 0, done.stderr
    tables = paper / "results" / "made-up" / "tables"
    every, without = (
        rows_of(tables / f"{name}.csv") for name in ("comparisons", "comparisons_without")
    )
    n = N - DROPPED
    wrong, past_end = len(range(0, n, 4)), len(range(1, n, 4))
    mae = every["LaMP-3U", "mae"]
    assert (int(mae["n"]), float(mae["baseline_value"])) == (n, 0)
    assert float(mae["precision_value"]) == pytest.approx(wrong / n)
    assert float(mae["flip_rate"]) == pytest.approx(wrong / n)
    assert mae["verdict"] == "worse"
    assert float(every["LaMP-3U", "past the end↓"]["precision_value"]) == pytest.approx(
        past_end / n
    )
    assert float(every["LaMP-5U", "rougeL"]["precision_value"]) == 1
    # Without the answers that went on past their end, fewer are compared.
    mae = without["LaMP-3U", "mae"]
    assert int(mae["n"]) == n - past_end
    assert float(mae["precision_value"]) == pytest.approx(wrong / (n - past_end))
    assert ("LaMP-3U", "past the end↓") not in without
    assert (tables / "replication.csv").exists()
    page = (paper / "results" / "made-up" / "report.html").read_text(encoding="utf-8")
    assert "without some answers" in page


def test_other_queries_than_the_authors_are_refused(paper):
    questions = paper / "resources/lamp/download/user/LaMP_3/dev_questions.json"
    questions.write_text(
        questions.read_text(encoding="utf-8").replace("7 it works", "7 it fails"), encoding="utf-8"
    )
    done = run_snakemake(paper, "--cores", "1", "--configfile", *PAPER, "--until", "paper_queries")
    assert done.returncode != 0
    log = (paper / "logs" / "made-up" / "paper_queries.log").read_text(encoding="utf-8")
    assert "aren't those that the paper's authors logged, such as '7'" in log
