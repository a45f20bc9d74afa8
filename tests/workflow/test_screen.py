"""On a terminal a run is one screen; anywhere else it prints what Snakemake prints."""

import os
import pty
import re
import shutil
import subprocess
import sys

import pytest

SNAKEFILE = """
include: "workflow/rules/tasks.smk"
include: "workflow/rules/scoring.smk"
rule all:
    default_target: True
    input: "a.txt", "b.txt", "c.txt"
"""
RULES = {
    "tasks": r'''
rule prepare_task:
    output: "{name}.txt"
    log: "logs/{name}.log"
    wildcard_constraints: name="[ab]"
    shell:
        """
        echo "error: file.json: record 3: no text" > {log}
        test {wildcards.name} != b && touch {output}
        """
''',
    "scoring": """
rule score:
    output: "c.txt"
    log: "logs/c.log"
    shell: "echo a warning from below >&2; touch {output}"
""",
}


@pytest.fixture
def folder(root, tmp_path):
    """A workflow of three jobs, one of which fails, with the project's package and profiles."""
    (tmp_path / "workflow" / "rules").mkdir(parents=True)
    (tmp_path / "workflow" / "scripts").symlink_to(root / "workflow" / "scripts")
    shutil.copytree(root / "profiles", tmp_path / "profiles")
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    for name, text in RULES.items():
        (tmp_path / "workflow" / "rules" / f"{name}.smk").write_text(text)
    return tmp_path


def start(folder, *arguments, terminal=True, **variables):
    """Exit status and stderr of a run, on a terminal or in a pipe."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments]
    kept = {k: v for k, v in os.environ.items() if k not in ("CI", "VERBOSE")}
    environment = {**kept, "TERM": "xterm", "COLUMNS": "150", "LINES": "40", **variables}
    if not terminal:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        return done.returncode, done.stderr
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        said += part
    os.close(ours)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode())
    return process.wait(), text.replace("\r\n", "\n")


@pytest.mark.parametrize("profile", ["default", "gpu", "multi-gpu"])
def test_a_terminal_gets_one_screen_and_a_failure_in_one_line(folder, profile):
    status, text = start(folder, "--workflow-profile", f"profiles/{profile}", "--retries", "0")
    assert status == 1
    assert "✗ prepare_task (b): file.json: record 3: no text (log: logs/b.log)" in text
    assert "a warning from below" in text
    assert "error: 1 job has failed (above)" in text
    end = text.rpartition("tasks")[2]
    assert "1 of 2" in end
    assert "1 of 1" in end
    for block in ("rule prepare_task:", "Select jobs", "RuleException", "Traceback"):
        assert block not in text
    (log,) = (folder / ".snakemake" / "log").iterdir()
    assert "Error in rule prepare_task:" in log.read_text()


def test_a_workflow_that_cannot_be_read_says_why(folder):
    (folder / "Snakefile").write_text('import sys\nsys.exit("error: no such key")\n')
    status, text = start(folder)
    assert status == 1
    assert text.strip().endswith("error: no such key")


def test_pipes_ci_verbose_runs_and_dry_runs_stay_as_they_are(folder):
    for options in (
        {"terminal": False},
        {"CI": "true"},
        {"VERBOSE": "1"},
        {"TERM": "dumb"},
    ):
        shutil.rmtree(folder / ".snakemake", ignore_errors=True)
        for name in "abc":
            (folder / f"{name}.txt").unlink(missing_ok=True)
        status, text = start(folder, **options)
        assert status == 1
        assert "Error in rule prepare_task:" in text, options
        assert "✗" not in text, options
    status, text = start(folder, "-n", "--verbose")
    assert "✗" not in text
