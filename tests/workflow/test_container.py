"""The container's recipe is sound and copies what a run needs; no engine builds it here."""

import re
import subprocess
import sys
from pathlib import Path

from running import PARTS

HADOLINT = Path(sys.executable).with_name("hadolint")


def test_the_linter_has_nothing_to_say(root):
    done = subprocess.run(
        [HADOLINT, "--failure-threshold", "style", root / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_copies_all_that_a_run_needs_and_nothing_else_is_sent(root):
    recipe = (root / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY ([\w/.]+)", recipe, re.MULTILINE))
    assert set(PARTS) <= copied
    sent = (root / ".dockerignore").read_text().splitlines()
    assert {line[1:] for line in sent if line.startswith("!")} == set(PARTS)
    assert all((root / path).exists() for path in copied)


def test_environments_are_looked_for_where_they_were_made(root):
    """Their place is part of what Snakemake recognizes them by."""
    prefix = re.search(r"SNAKEMAKE_CONDA_PREFIX=(\S+)", (root / "Dockerfile").read_text())[1]
    profile = (root / "profiles" / "kubernetes" / "config.yaml").read_text()
    assert f"\nconda-prefix: {prefix}\n" in profile
