"""Questions on this project's own documentation, through every real component."""

import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from quantrag.tables import read_table
from running import copy_project, job_counts, run_snakemake

pytestmark = pytest.mark.slow

MODEL = "smollm2-135m-instruct"
TASK = "documentation"


@pytest.fixture(scope="module")
def run(root, tmp_path_factory):
    """The configuration for one's own documents, smaller, in two number formats: its folder."""
    folder = copy_project(root, tmp_path_factory.mktemp("questions") / "project")
    shutil.copytree(root / "docs", folder / "docs", dirs_exist_ok=True)
    config = yaml.safe_load((root / "config" / "own-documents.yaml").read_text())
    config["experiment"] = "own"
    config["tasks"][TASK]["max_queries"] = 8
    config["precisions"] = {
        "bf16": {"method": "none"},
        "float32": {"method": "none", "dtype": "float32"},
    }
    config["k"] = [0, 2]
    config["generation"]["max_new_tokens"] = 8
    (folder / "own.yaml").write_text(yaml.safe_dump(config))
    done = run_snakemake(folder, "--cores", "2", "--configfile", "own.yaml", timeout=1500)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def table(run, name):
    return pd.read_csv(run / "results" / "own" / "tables" / f"{name}.csv", dtype={"k": str})


def test_all_forty_questions_find_their_evidence(run):
    """Each quotation of config/own-questions.jsonl stands in the documentation as it is now."""
    lines = (run / "config" / "own-questions.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    assert len(records) == 40
    for record in records:
        if record["answers"]:
            assert record["evidence_text"] in (run / "docs" / record["evidence"]).read_text()


def test_passages_are_the_documents_characters(run):
    documents = read_table(run / "results" / "own" / "tasks" / TASK / "documents.parquet")
    assert len(documents) > 100
    for passage in documents.itertuples():
        name, _, place = passage.document_id.partition("#")
        start, stop = map(int, place.split("-"))
        assert (run / "docs" / name).read_text()[start:stop] == passage.text


def test_the_retriever_evidence_puts_it_into_every_prompt(run):
    scores = read_table(run / "results" / "own" / "scores" / MODEL / "bf16.parquet")
    places = scores.set_index(["retriever", "k"])["evidence"]
    assert set(places["none", "0"]) == {"absent"}
    assert set(places["evidence", "2"]) == {"first"}
    assert "absent" not in set(places["evidence", "2"])


def test_retrieval_is_measured_and_perfect_with_the_evidence(run):
    quality = table(run, "retrieval").set_index("retriever")
    assert set(quality.index) == {"bm25", "minilm", "fused", "evidence"}
    assert quality.loc["evidence", "mrr"] == 1
    assert (quality["mrr"] > 0.2).all()


def test_comparisons_are_split_by_the_evidence(run):
    split = table(run, "evidence")
    assert {"absent", "present"} <= set(split["evidence"])
    assert set(split["metric"]) >= {"token_f1", "em", "contains", "nll"}


def test_the_report_shows_questions_and_passages(run):
    page = (run / "results" / "own" / "report.html").read_text()
    assert "Does Snakemake delete the journal of a generation job?" in page
    assert "generation.md#" in page


def test_a_changed_document_reruns_what_follows_and_nothing_else(run):
    (run / "docs" / "cluster.md").write_text(
        (run / "docs" / "cluster.md").read_text() + "\nMore.\n"
    )
    done = run_snakemake(run, "-n", "--cores", "2", "--configfile", "own.yaml")
    counts = job_counts(done.stdout + done.stderr)
    assert counts["prepare_corpus"] == counts["prepare_questions"] == 1
    assert "unpack_gguf" not in counts


def test_a_changed_question_indexes_nothing_again(run):
    """After the test above, so of its own only: the other one's page is put back."""
    shutil.copy(Path(__file__).parents[2] / "docs" / "cluster.md", run / "docs" / "cluster.md")
    os.utime(run / "docs" / "cluster.md", (0, 0))
    file = run / "config" / "own-questions.jsonl"
    file.write_text(file.read_text().replace("Does Snakemake delete", "Does Snakemake ever delete"))
    done = run_snakemake(run, "-n", "--cores", "2", "--configfile", "own.yaml")
    counts = job_counts(done.stdout + done.stderr)
    assert counts["prepare_questions"] == 1
    assert counts["retrieve_lucene"] == counts["retrieve_dense"] == 1
    again = {"prepare_corpus", "encode_documents", "index_lucene", "index_faiss", "unpack_gguf"}
    assert not again & counts.keys()
