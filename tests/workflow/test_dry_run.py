"""The paper's grid and the demo's resolve to the jobs that they should; mistakes stop them."""

import pytest
import yaml

from running import job_counts, run_snakemake


def test_the_papers_grid_resolves_with_one_generation_job_per_model_and_precision(project):
    done = run_snakemake(project, "-n", "--cores", "8")
    assert done.returncode == 0, done.stderr
    counts = job_counts(done.stdout + done.stderr)
    # 6 models x (FP16, two INT4 methods, noise floor)
    assert counts["generate"] == 24
    assert counts["score"] == 24
    assert counts["quantize_gptq"] == 6
    assert counts["prepare_task"] == 2
    # 6 models x 2 tasks x (3 retrievers and none)
    assert counts["build_prompts"] == 48
    assert counts["index_lucene"] == 2
    assert counts["index_faiss"] == 4


def test_the_demo_resolves_offline(project):
    done = run_snakemake(project, "-n", "--profile", "profiles/demo")
    assert done.returncode == 0, done.stderr
    counts = job_counts(done.stdout + done.stderr)
    assert counts["generate"] == 2
    assert counts["unpack_gguf"] == 1
    assert not [rule for rule in counts if "download" in rule]


def test_a_typo_stops_before_any_job_with_one_line(project, tmp_path):
    config = yaml.safe_load((project / "config" / "demo.yaml").read_text())
    config["retrievers"]["bm25"]["k_1"] = 0.9
    file = tmp_path / "typo.yaml"
    file.write_text(yaml.safe_dump(config))
    done = run_snakemake(project, "-n", "--cores", "1", "--configfile", file)
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    assert len(errors) == 1
    assert f"{file}: retrievers.bm25.k_1: unknown key (did you mean 'k1'?)" in errors[0]
    assert "Traceback" not in done.stderr


def test_a_file_of_ones_own_replaces_the_default_grid(project, tmp_path):
    """Merged into the paper's grid, the user's would run six models more."""
    config = yaml.safe_load((project / "config" / "demo.yaml").read_text())
    config["experiment"] = "mine"
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(config))
    done = run_snakemake(project, "-n", "--cores", "1", "--configfile", file)
    assert done.returncode == 0, done.stderr
    assert "results/mine/" in done.stdout + done.stderr
    assert "llama" not in done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [[], ["--profile", "profiles/demo"]])
def test_lint_finds_nothing(project, arguments):
    done = run_snakemake(project, "--lint", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Congratulations" in done.stdout + done.stderr


def test_the_rule_graph_can_be_drawn(project):
    done = run_snakemake(project, "--rulegraph", "--profile", "profiles/demo")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("digraph")
    assert '"generate"' in done.stdout or "generate" in done.stdout
