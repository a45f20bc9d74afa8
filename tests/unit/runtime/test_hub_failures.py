"""What failures of the Hub mean; all are tried against a server in `checkpoints/test_hub.py`."""

import errno

import huggingface_hub.constants
import pytest

from hub_stand_in import REVISION, Hub
from quantrag.runtime.hub_failures import explain, explain_data_set


@pytest.mark.parametrize(
    ("error", "words", "passing"),
    [
        (OSError(errno.ENOSPC, "No space left"), "no space left on the disk", False),
        (ConnectionResetError("reset"), "the connection to", True),
        (RuntimeError("token hf_MARKERMARKER\nis odd"), "RuntimeError: token ***", False),
    ],
)
def test_a_line_says_what_failed_and_whether_to_try_again(monkeypatch, error, words, passing):
    monkeypatch.setenv("HF_TOKEN", "hf_MARKERMARKER")
    text, again = explain(error, "a/b", REVISION)
    assert words in text
    assert again == passing
    assert "MARKER" not in text
    assert "\n" not in text


def test_of_a_data_set_only_the_download_is_explained(monkeypatch):
    server = Hub("fine")
    server.patch(monkeypatch)
    try:
        assert explain_data_set(ValueError("Unknown split"), "a/b", REVISION) is None
        assert "broke" in explain_data_set(ConnectionResetError(), "a/b", REVISION)
    finally:
        server.close()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert explain_data_set(ValueError("Unknown split"), "a/b", REVISION) is None
    assert "HF_HUB_OFFLINE is set" in explain_data_set(FileNotFoundError(), "a/b", REVISION)
