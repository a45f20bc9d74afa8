"""An edit to an engine reruns the jobs of that engine and of no other."""

import pytest
import yaml

from running import copy_project, job_counts, run_snakemake

TARGET = "results/engines/costs/smollm2-135m-instruct/bf16.json"
GENERATE = """\
from pathlib import Path

for path in snakemake.output:
    Path(path).touch()
"""


@pytest.fixture
def generated(root, tmp_path):
    """A project in which vLLM has generated (nothing), and a function that plans or runs it."""
    folder = copy_project(root, tmp_path / "project")
    config = yaml.safe_load((folder / "config" / "demo.yaml").read_text())
    config["experiment"] = "engines"
    assert config["generation"]["engine"] == "vllm"
    (folder / "engines.yaml").write_text(yaml.safe_dump(config))
    (folder / "workflow" / "scripts" / "generate.py").write_text(GENERATE)
    model = "smollm2-135m-instruct"
    (folder / "resources" / "checkpoints" / model / "original").mkdir(parents=True)
    for task in config["tasks"]:
        prompts = folder / "results" / "engines" / "prompts" / model / task
        prompts.mkdir(parents=True)
        for retriever in ("none", *config["retrievers"]):
            (prompts / f"{retriever}.parquet").touch()

    def snakemake(*more):
        given = ["--cores", "1", "--configfile", "engines.yaml", "--allowed-rules", "generate"]
        done = run_snakemake(folder, *given, *more, "--", TARGET)
        assert done.returncode == 0, done.stderr
        return job_counts(done.stdout + done.stderr)

    assert snakemake() == {"generate": 1}
    assert snakemake("-n") == {}
    return folder / "workflow" / "scripts" / "quantrag" / "engines", snakemake


def test_an_edited_engine_reruns_its_own_jobs(generated):
    engines, snakemake = generated
    for other in ("transformers_engine.py", "openai_engine.py"):
        with (engines / other).open("a") as file:
            file.write("# edited\n")
    assert snakemake("-n") == {}
    with (engines / "vllm_engine.py").open("a") as file:
        file.write("# edited\n")
    assert snakemake("-n") == {"generate": 1}
