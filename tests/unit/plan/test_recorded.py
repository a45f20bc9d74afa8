"""What is planned where the answers were recorded elsewhere."""

from pathlib import Path

import pytest

from quantrag.config.loading import load_config
from quantrag.plan.recorded import RecordedPlan

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"


def plan(tasks, *results, **recorded):
    raw = {"experiment": "e", "baseline": "fp16", "tasks": tasks}
    raw["recorded"] = {"format": "table", "results": list(results), **recorded}
    return RecordedPlan(load_config(raw), SCRIPTS)


def result(**changes):
    return {"model": "m", "precision": ["fp16", "int4"], "task": "arc"} | changes


ARC = {"arc": {"kind": "recorded"}}


def test_a_job_reads_the_files_of_its_task_and_its_items():
    made = plan(
        ARC | {"mmlu": {"kind": "recorded"}},
        result(files="{precision}.csv"),
        result(task="mmlu", files=["{precision}-1.csv", "{precision}-2.csv"]),
        items="items.json",
    )
    assert made.files("arc") == ["fp16.csv", "int4.csv", "items.json"]
    assert made.systems("mmlu")[1] == {
        "model": "m",
        "precision": "int4",
        "retriever": "none",
        "k": "0",
        "files": ["int4-1.csv", "int4-2.csv"],
    }
    assert made.scores() == ["<results>/scores/arc.parquet", "<results>/scores/mmlu.parquet"]
    assert made.queries_of("arc") == []


def test_queries_of_lamp_are_its_own():
    made = plan(
        {"arc": {"kind": "lamp", "lamp": 3, "source": {"kind": "local", "folder": "x"}}},
        result(files="{precision}.csv"),
    )
    assert made.queries_of("arc") == ["<results>/tasks/arc/queries.parquet"]
    assert made.tasks.files("arc")["questions"] == "x/dev_questions.json"
    assert "<results>/tables/replication.csv" in made.products.tables


@pytest.mark.parametrize("over_k", [False, True])
def test_only_what_has_inputs_is_there(over_k):
    more = [result(retriever="bm25", k=[1, 3], files="{precision}-{k}.csv")] if over_k else []
    made = plan(ARC, result(files="{precision}.csv"), *more)
    tables = {Path(path).stem for path in made.products.tables}
    assert tables.isdisjoint({"costs", "checkpoints", "retrievers", "replication"})
    assert {"scores", "comparisons"} <= tables
    figures = {Path(path).stem for path in made.products.figures}
    assert {"forest", "flips"} <= figures
    assert ("k_sweep" in figures) == ("trends" in tables) == over_k
    assert figures.isdisjoint({"quality_cost", "layer_errors", "retrievers_compared"})
