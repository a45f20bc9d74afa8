"""Keys from the environment: cleaned, refused without being shown, and never printed."""

import logging
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantrag.errors import UserError
from quantrag.runtime.credentials import RedactingFormatter, address, redact, secret

KEY = "sk-MARKER123"


@pytest.mark.parametrize(
    "pasted",
    [
        KEY,
        f"{KEY}\n",
        f"{KEY}\r\n",
        f" \t{KEY} ",
        f"\ufeff{KEY}",
        f"\u200b{KEY}\u200b",
        f"{KEY}\u00a0",
        f'"{KEY}"',
        f"'{KEY}'\n",
        f"\u201c{KEY}\u201d",
        f"\u2018{KEY}\u2019\n",
        f"\u00ab {KEY} \u00bb",
        f'" \u201c{KEY}\u201d "',
    ],
)
def test_what_pasting_puts_around_a_key_is_left_out(monkeypatch, pasted):
    monkeypatch.setenv("OPENAI_API_KEY", pasted)
    assert secret("OPENAI_API_KEY") == KEY


@pytest.mark.parametrize("empty", ["", " \n", '""', "\u201c\u201d"])
def test_an_empty_key_is_none(monkeypatch, empty):
    monkeypatch.setenv("HF_TOKEN", empty)
    assert secret("HF_TOKEN") is None


@pytest.mark.parametrize(
    "pasted",
    [
        "sk-MARKER 123",
        "sk-MARKER\n123",
        "sk-MARKER\u2013123",
        "sk-\u201cMARKER123",
        "Bearer sk-MARKER123",
        "sk-MARKER\x00123".replace("\x00", "\x01"),
    ],
)
def test_any_other_character_is_refused_in_one_line_without_the_key(monkeypatch, pasted):
    monkeypatch.setenv("HF_TOKEN", pasted)
    with pytest.raises(UserError) as raised:
        secret("HF_TOKEN")
    message = str(raised.value)
    assert "HF_TOKEN" in message
    assert "U+" in message
    assert "MARKER" not in message
    assert "\n" not in message


def test_an_address_is_cleaned_in_the_same_way(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "\u201chttp://localhost:8000/v1\u201d\n")
    assert address("OPENAI_BASE_URL") == "http://localhost:8000/v1"


@given(
    key=st.text(string.ascii_letters + string.digits + "-_", min_size=8, max_size=40),
    before=st.sampled_from(["", " ", '"', "\u201c"]),
    after=st.sampled_from(["", "\n", '"\n', "\u201d"]),
)
def test_no_form_of_a_key_is_printed(key, before, after):
    with pytest.MonkeyPatch.context() as patch:
        value = f"{before}{key}{after}"
        patch.setenv("OPENAI_API_KEY", value)
        for text in (f"Bearer {value}", repr({"Authorization": f"Bearer {value}".encode()}), key):
            assert key not in redact(text)


def test_passwords_in_addresses_are_not_printed():
    assert redact("see http://user:MARKER@host:1/v1 now") == "see http://***@host:1/v1 now"
    assert redact("https://huggingface.co/a/b@main") == "https://huggingface.co/a/b@main"


def test_log_lines_and_their_tracebacks_are_redacted(monkeypatch, caplog):
    monkeypatch.setenv("HF_TOKEN", f"{KEY}\n")
    formatter = RedactingFormatter("%(message)s")
    try:
        raise ValueError(f"Illegal header value b'Bearer {KEY}\\n'")
    except ValueError:
        logging.getLogger("test").exception("with %s", KEY)
    text = formatter.format(caplog.records[-1])
    assert "Illegal header value" in text
    assert "MARKER" not in text
