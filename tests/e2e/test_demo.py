"""The demo, smaller, through every real component; then: only changed stages rerun."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from quantrag.tables import read_metadata, read_table
from running import copy_project, job_counts, run_snakemake

pytestmark = pytest.mark.slow

MODEL = "smollm2-135m-instruct"
RESULTS = Path("results", "small")
#: Everything after retrieval.
DOWNSTREAM = {
    "build_prompts",
    "generate",
    "score",
    "summarize_scores",
    "compare",
    "trend",
    "cost",
    "replicate",
    "figures",
    "report",
}


class Run:
    """A finished run in a copy of the project, and what a further run would do."""

    def __init__(self, folder: Path, config: dict):
        self.folder = folder
        self.config = config
        self.file = folder / "small.yaml"
        self.write(config)

    def write(self, config):
        self.file.write_text(yaml.safe_dump(config))

    def snakemake(self, *arguments):
        return run_snakemake(
            self.folder, "--cores", "2", "--configfile", self.file, *arguments, timeout=1500
        )

    def planned(self) -> dict[str, int]:
        done = self.snakemake("-n")
        assert done.returncode == 0, done.stderr
        return job_counts(done.stdout + done.stderr)

    def planned_with(self, **changes) -> dict[str, int]:
        """Jobs per rule of a dry run with changed config entries."""
        self.write({**self.config, **changes})
        try:
            return self.planned()
        finally:
            self.write(self.config)

    def read(self, *parts):
        return read_table(self.folder.joinpath(RESULTS, *parts))

    def table(self, name):
        return pd.read_csv(self.folder / RESULTS / "tables" / f"{name}.csv", dtype={"k": str})


@pytest.fixture(scope="module")
def run(root, tmp_path_factory):
    folder = copy_project(root, tmp_path_factory.mktemp("end to end") / "project")
    config = yaml.safe_load((root / "config" / "demo.yaml").read_text())
    config["experiment"] = "small"
    for task in config["tasks"].values():
        task["source"].update(users=6, smallest_profile=8, largest_profile=12)
    config["precisions"]["int4-gptq"]["calibration"] = {"count": 4, "max_tokens": 256}
    config["k"] = [0, 1, 3]
    config["noise_floor"] = True
    config["statistics"] = {"draws": 1000}
    run = Run(folder, config)
    done = run.snakemake()
    assert done.returncode == 0, done.stdout + done.stderr
    return run


def test_every_cell_has_an_answer_for_every_query(run):
    for precision in ("bf16", "int4-gptq", "noise-floor"):
        for task in ("LaMP-3U", "LaMP-5U"):
            queries = run.read("tasks", task, "queries.parquet")
            for cell in ["none/k0", *(f"{r}/k{k}" for r in ("bm25", "minilm") for k in (1, 3))]:
                path = f"completions/{MODEL}/{precision}/{task}/{cell}.parquet"
                answers = run.read(path)
                assert list(answers["query_id"]) == list(queries["query_id"])
                assert (answers["output_tokens"] > 0).all()


def test_both_precisions_saw_the_same_prompts(run):
    for cell in ("LaMP-3U/bm25/k3", "LaMP-5U/minilm/k1", "LaMP-5U/none/k0"):
        hashes = [
            list(run.read(f"completions/{MODEL}/{precision}/{cell}.parquet")["prompt_hash"])
            for precision in ("bf16", "int4-gptq", "noise-floor")
        ]
        assert hashes[0] == hashes[1] == hashes[2]


def test_the_int4_checkpoint_is_quantized_and_answers_differently(run):
    folder = run.folder / RESULTS / "checkpoints" / MODEL / "int4-gptq"
    config = json.loads((folder / "config.json").read_text())
    assert config["quantization_config"]["bits"] == 4
    assert config["quantization_config"]["group_size"] == 64
    path = "completions/{}/{}/LaMP-5U/bm25/k3.parquet"
    texts = [run.read(path.format(MODEL, p))["text"] for p in ("bf16", "int4-gptq")]
    assert (texts[0] != texts[1]).any()


def test_the_int4_checkpoint_is_more_perplexed(run):
    table = run.table("checkpoints")
    perplexity = table[table["layer"].isna()].set_index("precision")["perplexity"]
    assert 1 < perplexity["bf16"] < perplexity["int4-gptq"] < 2 * perplexity["bf16"]


def test_retrieval_stays_inside_the_users_profile(run):
    for task in ("LaMP-3U", "LaMP-5U"):
        queries = run.read("tasks", task, "queries.parquet")
        documents = run.read("tasks", task, "documents.parquet")
        own = documents.groupby("scope_id")["document_id"].agg(set)
        for retriever in ("bm25", "minilm"):
            ranking = run.read("runs", task, f"{retriever}.parquet")
            for query in queries.itertuples():
                ranked = ranking[ranking["query_id"] == query.query_id]
                assert set(ranked["document_id"]) <= own[query.scope_id]
                assert list(ranked["rank"]) == list(range(1, len(ranked) + 1))
                assert (np.diff(ranked["score"]) <= 0).all()


def test_calibration_never_saw_an_evaluated_query(run):
    [path] = (run.folder / RESULTS).glob("calibration/**/*.parquet")
    texts = "\n".join(read_table(path)["text"])
    for task in ("LaMP-3U", "LaMP-5U"):
        for text in run.read("tasks", task, "queries.parquet")["query_text"]:
            assert text not in texts


def test_the_tables_cover_the_grid(run):
    scores = run.table("scores")
    along_the_baselines_answer = {"divergence", "same_top"}
    metrics = {
        "LaMP-3U": {"mae", "rmse", "rps", "log_loss"} | along_the_baselines_answer,
        "LaMP-5U": {"rouge1", "rougeL", "nll"} | along_the_baselines_answer,
    }
    # The metrics x (none/k0 + 2 retrievers x 2 k) x 2 precisions
    real = scores[scores["precision"] != "noise-floor"]
    assert len(real) == 11 * 5 * 2
    assert {task: set(rows["metric"]) for task, rows in real.groupby("task")} == metrics
    assert (real["ci_low"] <= real["value"]).all()
    assert (real["value"] <= real["ci_high"]).all()
    assert (real["n"] <= 6).all()
    comparisons = run.table("comparisons")
    assert len(comparisons) == 11 * 5
    assert set(comparisons["precision"]) == {"int4-gptq"}
    assert comparisons["flip_rate"].between(0, 1).all()
    assert comparisons["noise_flip_rate"].between(0, 1).all()
    merged = comparisons.merge(
        scores, on=["task", "model", "retriever", "k", "metric", "precision"]
    )
    base = scores[scores["precision"] == "bf16"]
    merged = merged.merge(
        base, on=["task", "model", "retriever", "k", "metric"], suffixes=("", "_b")
    )
    assert np.allclose(merged["difference"], merged["value"] - merged["value_b"], atol=1e-8)
    costs = run.table("costs")
    assert set(costs["precision"]) == {"bf16", "int4-gptq"}
    assert (costs["weights_gib"] > 0).all()
    # Beside the weights the cache of the longest prompt.
    assert (costs["memory_gib"] > costs["loaded_gib"]).all()
    assert (costs["loaded_gib"] > 0).all()
    # Not known of weights and cache in a CPU's formats.
    assert costs["smallest_gpu"].isna().all()


def test_completions_carry_their_provenance(run):
    path = run.folder / RESULTS / "completions" / MODEL / "int4-gptq/LaMP-3U/bm25/k1.parquet"
    provenance = json.loads(read_metadata(path)["provenance"])
    assert re.fullmatch("[0-9a-f]{64}", provenance["identity"]["checkpoint"])
    assert provenance["identity"]["engine"] == "vllm"
    assert provenance["identity"]["sampling"]["max_new_tokens"] == 32
    assert "gptq" in provenance["engine_reports"][0]["quantization"]
    assert provenance["environments"][0]["packages"]["transformers"]


def test_figures_come_in_every_format(run):
    figures = run.folder / RESULTS / "figures"
    for name, magic in (("pdf", b"%PDF"), ("svg", b"<?xml"), ("png", b"\x89PNG")):
        assert (figures / f"k_sweep.{name}").read_bytes().startswith(magic)


def test_the_report_has_every_part(run):
    text = (run.folder / RESULTS / "report.html").read_text()
    for part in ("comparisons with BF16", "figure-k_sweep", "explorer-data", "were written by a"):
        assert part in text
    assert "INT4 GPTQ" in text


def test_the_workflows_report_can_be_made(run):
    done = run.snakemake("--report", "workflow.html")
    assert done.returncode == 0, done.stderr
    text = (run.folder / "workflow.html").read_text()
    for part in ("k_sweep", "Score against k", "Main result", "whiskers are 95% intervals"):
        assert part in text


# --- only changed stages rerun ---------------------------------------------------------------


def test_nothing_is_done_a_second_time(run):
    assert run.planned() == {}


def test_touching_the_sources_reruns_nothing(run):
    for part in ("Snakefile", "config", "envs", "profiles", "workflow", "small.yaml"):
        path = run.folder / part
        for file in [path] if path.is_file() else path.rglob("*"):
            file.touch()
    assert run.planned() == {}


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (
            "retrieval/lucene.py",
            {"index_lucene": 2, "retrieve_lucene": 2, "build_prompts": 2},
        ),
        ("scoring/metrics.py", {"score": 3}),
        ("presentation/figures/style.py", {"figures": None}),
        ("statistics/trends.py", {"trend": 1}),
        ("tasks/lamp.py", {"prepare_task": 2, "prepare_training_split": 2}),
    ],
)
def test_editing_a_module_reruns_the_stages_that_import_it(run, module, expected):
    path = run.folder / "workflow" / "scripts" / "quantrag" / module
    original = path.read_text()
    path.write_text(original + "\n# An edit.\n")
    try:
        planned = run.planned()
    finally:
        path.write_text(original)
    for rule, count in expected.items():
        assert planned[rule] == (count or planned[rule])
    if module == "presentation/figures/style.py":
        assert set(planned) <= {"figures", "write_tables", "report"}
    if module == "retrieval/lucene.py":
        assert not {"retrieve_dense", "encode_documents", "quantize_gptq"} & planned.keys()
        assert "generate" in planned
    if module == "scoring/metrics.py":
        assert not {"generate", "build_prompts"} & planned.keys()
    if module == "statistics/trends.py":
        assert set(planned) <= {"trend", "figures", "write_tables", "report"}
    assert run.planned() == {}


def test_one_retrievers_parameter_reruns_its_branch_alone(run):
    retrievers = {**run.config["retrievers"], "bm25": {"kind": "lucene", "k1": 1.2}}
    planned = run.planned_with(retrievers=retrievers)
    assert planned["retrieve_lucene"] == 2
    assert planned["build_prompts"] == 2
    assert planned["generate"] == 3
    # k1 is a parameter of the search: the index stays.
    assert not {"index_lucene", "retrieve_dense", "encode_documents"} & planned.keys()
    assert set(planned) - {"retrieve_lucene"} <= DOWNSTREAM | {"compare_retrievers", "write_tables"}


def test_a_further_k_retrieves_nothing(run):
    planned = run.planned_with(k=[0, 1, 2, 3])
    assert planned["build_prompts"] == 4
    assert planned["generate"] == 3
    assert not {rule for rule in planned if re.match("retrieve|index|encode|prepare|quant", rule)}


def test_a_further_k_generates_only_its_own_prompts(run):
    """Really run, last: Snakemake deletes the completions first, the journal still has them."""
    run.config["k"] = [0, 1, 2, 3]
    run.write(run.config)
    done = run.snakemake("--until", "generate")
    assert done.returncode == 0, done.stderr
    log = (run.folder / "logs" / "small" / "generate" / MODEL / "bf16.log").read_text()
    # 6 queries x 2 tasks x (none + 2 retrievers x 3 k) wanted; only k = 2 is new
    found = re.search(r"(\d+) distinct; (\d+) answered in the journal, (\d+) to generate", log)
    distinct, answered, missing = map(int, found.groups())
    assert answered + missing == distinct
    assert 0 < missing <= 6 * 2 * 2
