"""Downloads from a stand-in for the Hub that fails in all the ways that the real one does."""

import huggingface_hub.constants
import pytest

from hub_stand_in import FILES, REVISION, TOKEN, WEIGHTS, Hub
from quantrag.checkpoints import hub
from quantrag.errors import UserError
from quantrag.runtime import hub_failures


@pytest.fixture
def start(monkeypatch, tmp_path):
    hubs = []

    def one(mode: str) -> Hub:
        hubs.append(Hub(mode))
        hubs[-1].patch(monkeypatch)
        return hubs[-1]

    # With the line break that a file gave it.
    monkeypatch.setenv("HF_TOKEN", f"{TOKEN}\n")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub_failures, "_SILENCE", 0.3)
    yield one
    for each in hubs:
        each.close()


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("401", "refuses the token"),
        ("403", "forbids the download"),
        ("404", "no such repository or file"),
        ("429", "asked too often"),
        ("500", "busy or down (status 500)"),
        ("503", "busy or down (status 503)"),
        ("repository", "no such repository, or a private one (HF_TOKEN is set)"),
        ("token", "refuses the token"),
        ("revision", "has no revision"),
        ("gated", "is gated"),
        ("page", "something other than JSON"),
        ("other JSON", "could not be downloaded"),
        ("circle", "redirects in a circle"),
        ("silent", "can't be reached (ReadTimeout)"),
        ("reset", "the connection to 127.0.0.1 broke"),
        ("no ETag", "leaves out the ETag"),
        ("cut", "the connection to 127.0.0.1 broke"),
    ],
)
def test_every_failure_is_one_line_without_the_token(start, tmp_path, caplog, mode, words):
    start(mode)
    (folder := tmp_path / "folder").mkdir()
    with pytest.raises(UserError) as raised:
        hub.download("a/b", REVISION, folder)
    message = str(raised.value)
    assert words in message
    assert "a/b" in message
    assert "\n" not in message
    assert "MARKER" not in message + caplog.text
    # What is raised along with it would be printed with a traceback.
    assert raised.value.__suppress_context__


def test_a_server_that_is_down_is_named(start, tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"127\.0\.0\.1 can't be reached.*Run again"):
        hub.download("a/b", REVISION, tmp_path)


@pytest.mark.parametrize("revision", [REVISION, "main"])
def test_only_what_a_checkpoint_needs_is_downloaded(start, tmp_path, revision):
    start("fine")
    (folder := tmp_path / "folder").mkdir()
    hub.download("a/b", revision, folder)
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    kept = ["config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json"]
    assert found == {name: FILES[name] for name in kept}


def test_a_download_goes_on_where_the_connection_broke(start, tmp_path):
    server = start("cut once")
    (folder := tmp_path / "folder").mkdir()
    hub.download("a/b", REVISION, folder)
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    first, *later = server.ranges
    assert first is None
    assert any(start and start != "bytes=0-" for start in later)


def test_a_later_run_keeps_the_files_that_are_whole(start, tmp_path):
    (folder := tmp_path / "folder").mkdir()
    start("cut")
    with pytest.raises(UserError, match="broke"):
        hub.download("a/b", REVISION, folder)
    server = start("fine")
    hub.download("a/b", REVISION, folder)
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert server.sent == ["model.safetensors"]


def test_a_token_that_no_header_can_hold_is_refused_before_anything_is_sent(
    start, tmp_path, monkeypatch
):
    start("fine")
    monkeypatch.setenv("HF_TOKEN", "hf_MARKER MARKER")
    with pytest.raises(UserError) as raised:
        hub.download("a/b", REVISION, tmp_path)
    assert "HF_TOKEN" in str(raised.value)
    assert "MARKER" not in str(raised.value)
