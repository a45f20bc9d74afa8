"""llm-compressor runs in an environment of its own; the work itself is tested in tests/e2e."""

import importlib.util
import sys
from pathlib import Path

import pytest

from quantrag.errors import UserError
from quantrag.quantization.llm_compressor_environment import interpreter, run


def test_without_an_environment_it_says_how_to_make_one(tmp_path):
    with pytest.raises(UserError, match="make llm-compressor-env"):
        interpreter(tmp_path / "missing")


def test_the_environment_is_this_one_where_it_has_llm_compressor(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    assert interpreter(tmp_path / "missing") == Path(sys.executable)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (
            "from pathlib import Path; import json, sys; "
            "Path(json.load(open(sys.argv[-1]))['error']).write_text('no texts'); sys.exit(2)",
            "^no texts$",
        ),
        ("raise SystemExit(3)", "ended with status 3"),
    ],
)
def test_a_mistake_in_the_process_is_one_clear_error(tmp_path, program, message):
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{program}" "$@"\n')
    python.chmod(0o755)
    with pytest.raises(UserError, match=message):
        run({"method": "awq"}, tmp_path)
