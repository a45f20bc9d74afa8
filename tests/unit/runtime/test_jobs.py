"""Errors of a script reach its log and, as one line, the terminal."""

import getpass
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from quantrag.runtime import jobs

SCRIPT = """
import types
from quantrag.runtime.jobs import job

snakemake = types.SimpleNamespace(log=["logs/a rule.log"], rule="some_rule", resources={{}})
with job(snakemake):
{body}
"""


@pytest.fixture
def run(tmp_path, request):
    def run(body, **variables):
        scripts = request.config.rootpath / "workflow" / "scripts"
        given = {name: value for name, value in variables.items() if value is not None}
        code = SCRIPT.format(body=textwrap.indent(textwrap.dedent(body), "    "))
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={"PYTHONPATH": str(scripts), "PATH": "", **given},
            capture_output=True,
            text=True,
            check=False,
        )
        return done, (tmp_path / "logs" / "a rule.log").read_text()

    return run


def test_a_users_mistake_is_one_line_without_traceback(run):
    done, log = run("""
        from quantrag.errors import UserError
        raise UserError("dev.json: record 3: no text")
    """)
    assert done.returncode == 1
    assert done.stderr == "some_rule: dev.json: record 3: no text (log: logs/a rule.log)\n"
    assert "error: dev.json: record 3: no text" in log
    assert "Traceback" not in log


@pytest.mark.parametrize("body", ["1 / 0", "import no_such_package"])
def test_any_other_error_has_its_traceback_in_the_log_alone(run, body):
    done, log = run(body)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "(log: logs/a rule.log)" in done.stderr
    assert "Traceback" in log


def test_all_output_goes_to_the_log(run):
    done, log = run("""
        import logging, os, sys
        print("from print")
        logging.getLogger("some.module").info("from logging")
        os.write(2, b"from compiled code\\n")
        os.system("/bin/echo from a child process")
    """)
    assert done.returncode == 0
    assert done.stdout == ""
    assert done.stderr == ""
    for source in ("from print", "from logging", "from compiled code", "from a child process"):
        assert source in log


@pytest.mark.parametrize(("stated", "expected"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_wait_asleep_unless_the_user_says_otherwise(run, stated, expected):
    done, log = run("import os; print(os.environ['OMP_WAIT_POLICY'])", OMP_WAIT_POLICY=stated)
    assert done.returncode == 0
    assert log.splitlines()[-1] == expected


def test_no_key_is_printed_or_logged(run):
    key = "sk-MARKER123"
    done, log = run(
        """
        import logging, os
        key = os.environ["OPENAI_API_KEY"]
        logging.info("headers: %s", {"Authorization": "Bearer " + key})
        raise ValueError("Illegal header value " + repr(("Bearer " + key).encode()))
        """,
        OPENAI_API_KEY=f"{key}\n",
    )
    assert "Illegal header value" in done.stderr
    assert "headers: " in log
    assert "Traceback" in log
    assert "MARKER" not in done.stderr + done.stdout + log


def test_a_user_id_without_a_name_has_one_in_a_job(tmp_path, monkeypatch):
    def nobody(user):
        raise KeyError(f"getpwuid(): uid not found: {user}")

    monkeypatch.setattr("pwd.getpwuid", nobody)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/nowhere")
    jobs._name_user()
    assert getpass.getuser() == f"user{os.getuid()}"
    assert os.access(Path.home(), os.W_OK)


def test_a_user_with_a_name_keeps_it(monkeypatch):
    monkeypatch.setattr("pwd.getpwuid", lambda user: object())
    monkeypatch.delenv("LOGNAME", raising=False)
    monkeypatch.setenv("HOME", "/nowhere")
    jobs._name_user()
    assert "LOGNAME" not in os.environ
    assert os.environ["HOME"] == "/nowhere"
