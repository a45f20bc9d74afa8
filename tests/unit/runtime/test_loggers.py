"""Which runs get the screen, and which Snakemake's own lines."""

import argparse
import importlib.util
import io
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

from quantrag.runtime.loggers import loggers


def stderr(monkeypatch, terminal):
    """Replace what the module sees: pytest puts its own stream back before each test."""
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    monkeypatch.setattr("quantrag.runtime.loggers.sys", SimpleNamespace(stderr=stream))


@pytest.fixture
def watched(monkeypatch):
    """A run on a terminal; the fixture is the monkeypatch that made it one."""
    stderr(monkeypatch, terminal=True)
    monkeypatch.setenv("TERM", "xterm")
    for name in ("CI", "VERBOSE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_a_watched_run_gets_the_screen(watched):
    assert loggers(argparse.Namespace(dryrun=False, quiet=None, logger=[])) == ["quantrag"]
    assert LoggerPluginRegistry().is_installed("quantrag")


@pytest.mark.parametrize(
    ("name", "value"), [("TERM", "dumb"), ("TERM", None), ("CI", "true"), ("VERBOSE", "1")]
)
def test_the_environment_can_ask_for_lines(watched, name, value):
    if value is None:
        watched.delenv(name)
    else:
        watched.setenv(name, value)
    assert loggers(argparse.Namespace()) == []


def test_a_log_file_gets_lines(watched):
    stderr(watched, terminal=False)
    assert loggers(argparse.Namespace()) == []


@pytest.mark.parametrize(
    "options",
    [{"dryrun": True}, {"quiet": {"rules"}}, {"verbose": True}, {"logger": ["slack"]}],
    ids=str,
)
def test_options_that_ask_for_other_output_get_it(watched, options):
    assert loggers(argparse.Namespace(**options)) == []


def test_without_rich_there_are_lines(watched):
    watched.setattr(importlib.util, "find_spec", lambda name: None)
    assert loggers(argparse.Namespace()) == []
