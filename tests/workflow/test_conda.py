"""`--sdm conda` makes the environment of a stage and runs the stage's rules in it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.utils import canonicalize_name

import conda_stand_in
from running import copy_project, run_snakemake

TARGET = "results/demo/tasks/LaMP-3U/queries.parquet"


def pins(root: Path, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """Versions for conda and for pip in envs/<name>.yaml."""
    content = yaml.safe_load((root / "envs" / f"{name}.yaml").read_text())["dependencies"]
    conda = dict(entry.split("=") for entry in content if isinstance(entry, str))
    [pip] = [entry["pip"] for entry in content if isinstance(entry, dict)]
    return conda, dict(line.split("==") for line in pip)


@pytest.mark.slow
def test_an_environment_is_made_once_and_its_rules_run_in_it(root, tmp_path, monkeypatch):
    project = copy_project(root, tmp_path / "a space" / "project")
    for_conda, for_pip = pins(root, "data")
    probe = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", tmp_path]
    if subprocess.run([*probe, f"tqdm=={for_pip['tqdm']}"], capture_output=True).returncode:
        pytest.skip("no package index can be reached")
    # Its path has no space, as a conda's must not; the project's has one.
    bin_folder = conda_stand_in.install(tmp_path, for_conda)
    monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
    more = ["--configfile", "config/demo.yaml", "--cores", "1", TARGET]

    done = run_snakemake(project, "--sdm", "conda", *more)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (project / TARGET).exists()
    environments = [path.parent.parent for path in project.glob(".snakemake/conda/*/bin/python")]
    assert len(environments) == 1
    # By both rules, writing the data and preparing the task.
    activated = (tmp_path / "activated").read_text().splitlines()
    assert len(activated) >= 2
    assert set(activated) == {str(environments[0])}

    python = environments[0] / "bin" / "python"
    listing = subprocess.run(
        [python, "-m", "pip", "list", "--format", "json"], capture_output=True, check=True
    )
    installed = {
        canonicalize_name(package["name"]): package["version"]
        for package in json.loads(listing.stdout)
    }
    assert for_pip.items() <= installed.items()

    # The older spelling finds what is made already, and nothing to do.
    done = run_snakemake(project, "--use-conda", *more)
    assert done.returncode == 0, done.stderr
    assert "Nothing to be done" in done.stdout + done.stderr
    assert (tmp_path / "activated").read_text().splitlines() == activated
