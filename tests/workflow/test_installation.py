"""`.venv` is made once, whole, from any folder; what is wrong is said in one line."""

import contextlib
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture
def checkout(tmp_path):
    """The project's installer in a path with a space, with a lock of one small package."""
    folder = tmp_path / "a folder" / "project"
    (folder / "envs").mkdir(parents=True)
    for name in ("install.py", "pcre.py"):
        shutil.copy(ROOT / "envs" / name, folder / "envs")
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "envs" / "demo.lock").write_text("# A comment.\nsix==1.16.0\n")
    (folder / "envs" / "dev.lock").write_text("sortedcontainers==2.4.0  # built from source\n")
    return folder


def make(folder, *arguments):
    # Not as a part of the `make test` that may have started these tests: it would name its folders.
    clean = {name: text for name, text in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", *arguments]
    return subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True)


def six_version(folder):
    command = [".venv/bin/python", "-c", "import six; print(six.__version__)"]
    return subprocess.check_output(command, cwd=folder, text=True).strip()


def test_environment_is_made_once_updated_and_made_anew_after_an_interruption(checkout):
    first = make(checkout, "env")
    assert first.returncode == 0, first.stdout + first.stderr
    assert six_version(checkout) == "1.16.0"
    log = (checkout / ".venv" / "install.log").read_bytes()

    again = make(checkout, "env")
    assert (again.returncode, again.stdout) == (0, "")
    assert (checkout / ".venv" / "install.log").read_bytes() == log

    developer = make(checkout, "dev-env")
    assert developer.returncode == 0, developer.stdout + developer.stderr
    assert make(checkout, "env").stdout == ""

    (checkout / "envs" / "demo.lock").write_text("six==1.17.0\n")
    changed = make(checkout, "env")
    assert changed.returncode == 0, changed.stdout + changed.stderr
    assert six_version(checkout) == "1.17.0"
    assert "Creating" not in changed.stdout

    # As a kill in the middle of an installation leaves it.
    (checkout / ".venv" / "locks").write_text("")
    (six,) = checkout.glob(".venv/lib/python3.11/site-packages/six.py")
    six.write_text("")
    interrupted = make(checkout, "env")
    assert interrupted.returncode == 0, interrupted.stdout + interrupted.stderr
    assert "Creating" in interrupted.stdout
    assert six_version(checkout) == "1.17.0"


def test_a_failed_installation_is_not_taken_for_a_whole_one(checkout):
    (checkout / "envs" / "demo.lock").write_text("six==0.0.0.1\n")
    failed = make(checkout, "env")
    assert failed.returncode != 0
    assert "error: installing the packages failed" in failed.stderr
    assert "No matching distribution found for six==0.0.0.1" in failed.stdout
    (checkout / "envs" / "demo.lock").write_text("six==1.17.0\n")
    assert make(checkout, "env").returncode == 0
    assert six_version(checkout) == "1.17.0"


def test_a_virtual_environment_of_ones_own_is_left_alone(checkout):
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "mine").touch()
    refused = make(checkout, "env")
    assert refused.returncode != 0
    assert "error: .venv exists and was not made by make: move it away." in refused.stderr
    assert (checkout / ".venv" / "mine").exists()


def test_a_missing_python_is_named_in_one_line(checkout):
    missing = make(checkout, "env", "PYTHON=")
    assert missing.returncode != 0
    (line,) = [line for line in missing.stderr.splitlines() if not line.startswith("make")]
    assert line.startswith("error: Python 3.11 not found")


def test_a_python_without_venv_is_named_in_one_line(checkout, tmp_path):
    # As Debian's python3 is without python3-venv.
    script = tmp_path / "python"
    code = "import sys; sys.modules['ensurepip'] = None; import runpy; sys.argv = sys.argv[1:]; "
    code += "runpy.run_path(sys.argv[0], run_name='__main__')"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n')
    script.chmod(0o755)
    refused = make(checkout, "env", f"PYTHON={script}")
    assert refused.returncode != 0
    errors = [line for line in refused.stderr.splitlines() if not line.startswith("make")]
    assert len(errors) == 1
    assert "lacks venv with pip" in errors[0]
    assert not (checkout / ".venv").exists()


def test_a_terminal_sees_how_far_an_installation_is(checkout):
    command = ["make", "env"]
    kept = {k: v for k, v in os.environ.items() if "MAKE" not in k and k not in ("CI", "VERBOSE")}
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, cwd=checkout, env=kept, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):  # how a terminal ends
        while part := os.read(ours, 65536):
            said += part
    os.close(ours)
    assert process.wait() == 0, said
    assert re.search(rb"\d of 1 (fetched|installed).*, \d+ s", said)
    assert b"Installed in" in said.rstrip().splitlines()[-1]
