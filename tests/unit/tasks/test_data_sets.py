"""Data sets of the library `datasets` in a folder; those on the Hub need a revision."""

import datasets
import huggingface_hub.constants
import pytest

from handbook import write_lines
from hub_stand_in import REVISION, TOKEN, Hub
from quantrag.errors import UserError
from quantrag.runtime import hub_failures
from quantrag.tasks.data_sets import open_data_set, read_data_set


def test_records_of_a_folder_come_one_by_one(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "data"
    rows = [{"id": f"{n}", "text": f"text {n}"} for n in range(3)]
    write_lines(folder / "test.jsonl", rows)
    found = list(read_data_set(str(folder), None, None, "test"))
    assert [record for _, record in found] == rows
    assert found[1][0] == f"data set {folder}, test, record 2"
    with pytest.raises(UserError, match=rf"data set {folder}: .*train"):
        list(read_data_set(str(folder), None, None, "train"))


def test_a_name_on_the_hub_needs_a_revision():
    with pytest.raises(UserError, match=r"owner/name is not a folder here, .* needs a revision"):
        list(read_data_set("owner/name", None, None, "train"))


@pytest.fixture
def ask(monkeypatch, tmp_path):
    """What loading a data set from a Hub that fails in this way says."""
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    monkeypatch.setattr(hub_failures, "_SILENCE", 0.3)

    def one(mode, offline=False):
        server = Hub(mode)
        server.patch(monkeypatch)
        address = huggingface_hub.constants.ENDPOINT
        monkeypatch.setattr(datasets.config, "HF_ENDPOINT", address)
        if offline:
            monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        try:
            with pytest.raises(UserError) as raised:
                open_data_set("a/b", REVISION, None, "train", streaming=False)
        finally:
            server.close()
        # What is raised along with it would be printed with a traceback.
        assert raised.value.__suppress_context__
        return str(raised.value)

    return one


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("401", "refuses the token"),
        ("token", "refuses the token while downloading a/b (HF_TOKEN is set). Make a new one."),
        ("403", "forbids the download"),
        ("404", "no such repository or file"),
        ("429", "asked too often"),
        ("503", "busy or down (status 503)"),
        ("repository", "a private one (HF_TOKEN is set). See https://huggingface.co/datasets/a/b."),
        ("revision", "has no revision"),
        ("gated", "a/b is gated: accept its licence at https://huggingface.co/datasets/a/b"),
        ("page", "something other than JSON"),
        ("circle", "redirects in a circle"),
        ("reset", "the connection to 127.0.0.1 broke"),
    ],
)
def test_every_failure_of_the_hub_is_one_line_without_the_token(ask, caplog, mode, words):
    message = ask(mode)
    assert message.startswith("data set ")
    assert words in message
    assert "\n" not in message
    assert "MARKER" not in message + caplog.text


def test_offline_is_said(ask):
    assert "a/b must be downloaded, but HF_HUB_OFFLINE is set" in ask("fine", offline=True)
