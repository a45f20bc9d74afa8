"""The paper's workflow, all retrievers, precisions and k, on stand-ins for its models.

All six models take longer than a test may: `benchmarks/workflow.py` runs those.
"""

import pandas as pd
import pytest
import yaml

from paper_grid import AnswerServer, write_grid
from running import copy_project, job_counts, run_snakemake

pytestmark = pytest.mark.slow

USERS = 4


@pytest.fixture(scope="module")
def finished(root, tmp_path_factory):
    """Folder of the finished run, its configuration's path, and what it printed."""
    folder = tmp_path_factory.mktemp("paper grid")
    project = copy_project(root, folder / "project")
    config = write_grid(root / "config" / "config.yaml", folder / "stand-ins", USERS, models=1)
    with pytest.MonkeyPatch.context() as patch, AnswerServer(config) as server:
        patch.setenv("OPENAI_BASE_URL", server.url)
        done = run_snakemake(project, "--cores", "2", "--configfile", config, timeout=1500)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    return project, config, done.stdout + done.stderr


def test_every_stage_ran_once_for_each_of_its_cells(finished):
    counts = job_counts(finished[2])
    # 2 tasks x (3 retrievers and none), and 3 precisions with the noise floor
    assert counts["build_prompts"] == 8
    assert counts["generate"] == counts["score"] == 4
    assert counts["quantize_gptq"] == 1
    assert not [rule for rule in counts if "download" in rule]


def test_the_tables_cover_the_papers_grid(finished):
    project, config, _ = finished
    tables = project / "results" / "stub" / "tables"
    scores = pd.read_csv(tables / "scores.csv", dtype={"k": str})
    ks = [str(k) for k in yaml.safe_load(config.read_text())["k"] if k]
    # 2 tasks x 2 metrics x (none + 3 retrievers x 5 k) x 3 precisions
    real = scores[scores["precision"] != "noise-floor"]
    assert len(real) == 2 * 2 * (1 + 3 * len(ks)) * 3
    assert set(real["k"]) == {"0", *ks}
    assert (real["n"] <= USERS).all()
    comparisons = pd.read_csv(tables / "comparisons.csv")
    assert set(comparisons["precision"]) == {"int4-awq", "int4-gptq"}
    assert comparisons["flip_rate"].between(0, 1).all()
    # The server answers the same again, whatever the order.
    assert (comparisons["noise_flip_rate"] == 0).all()


def test_nothing_is_left_to_do(finished):
    project, config, _ = finished
    done = run_snakemake(project, "-n", "--cores", "2", "--configfile", config)
    assert done.returncode == 0, done.stderr
    assert job_counts(done.stdout + done.stderr) == {}
