"""One run of make at a time in a folder, where the file system lets us know."""

import fcntl
import os
import subprocess

import pytest


@pytest.fixture
def make(root, tmp_path):
    """Runs a target that would run `snakemake` under the lock, with `echo` in its place."""
    (tmp_path / ".venv").mkdir()
    target = "try:\n\t@$(call alone,snakemake --profile x)\n\t@echo after\n"
    (tmp_path / "test.mk").write_text((root / "Makefile").read_text() + target)

    def make(run="echo", path=""):
        environment = {name: text for name, text in os.environ.items() if "MAKE" not in name}
        environment["PATH"] = f"{path}:{environment['PATH']}" if path else environment["PATH"]
        command = ["make", "-f", "test.mk", "try", f"RUN={run}"]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )

    return make


def test_the_lock_is_held_during_the_run_and_then_free(make, tmp_path):
    for _ in range(2):
        done = make()
        assert (done.returncode, done.stdout) == (0, "snakemake --profile x\nafter\n")
    with open(tmp_path / ".venv" / "run.lock") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused = make()
    assert refused.returncode != 0
    assert refused.stdout == ""
    assert "error: another run of make goes on in this folder" in refused.stderr


def test_a_failed_run_fails(make):
    done = make(run="false")
    assert done.returncode != 0
    assert done.stdout == ""


@pytest.mark.parametrize("status", [65, 71, 127])
def test_without_locks_it_runs_with_a_warning(make, tmp_path, status):
    """As flock(1) ends where the file system has no locks, and where there is no flock(1)."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "flock").write_text(f"#!/bin/sh\nexit {status}\n")
    (tmp_path / "bin" / "flock").chmod(0o755)
    done = make(path=tmp_path / "bin")
    assert (done.returncode, done.stdout) == (0, "snakemake --profile x\nafter\n")
    assert "warning: no lock can be held here" in done.stderr
