"""Errors of a script reach its log and, as one line, the terminal."""

import subprocess
import sys
import textwrap

import pytest

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
