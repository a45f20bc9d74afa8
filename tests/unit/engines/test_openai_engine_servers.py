"""Servers that change a prompt, send odd text, or are given a key that no header can hold."""

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from generation_samples import END, fake_checkpoint, make_spec, settings
from quantrag.engines.base import Request
from quantrag.engines.openai_engine import OpenAIEngine
from quantrag.errors import UserError

KEY = "sk-MARKER123"


class Server:
    """Counts a token per word, and one more where it puts BOS before a text.

    `before(handler)` may answer in its place: then it returns True.
    """

    def __init__(self, before=None, owned_by=None, knows_special_tokens=True, text="fine"):
        server = self
        self.bodies: list[dict] = []
        self.keys: list[str | None] = []

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def do_GET(self):
                server.keys.append(self.headers["Authorization"])
                if not (before and before(self)):
                    self.say({"data": [{"id": "m-bf16", "owned_by": owned_by}]})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if "prompt_logprobs" in body:
                    # As servers other than vLLM do, which ignore what they don't know.
                    self.say({"choices": [{"text": ""}]})
                    return
                server.bodies.append(body)
                if "add_special_tokens" in body and not knows_special_tokens:
                    self.say({"error": "unknown field"}, 400)
                    return
                prompt = body["prompt"]
                if isinstance(prompt, str):
                    count = len(prompt.split()) + body.get("add_special_tokens", True)
                else:
                    count = len(prompt)
                answer = json.dumps({"text": "%s", "finish_reason": "stop"}) % text
                self.say(
                    f'{{"choices": [{answer}], "usage": '
                    f'{{"prompt_tokens": {count}, "completion_tokens": 1}}}}'
                )

            def say(self, value, status=200):
                data = (value if isinstance(value, str) else json.dumps(value)).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def serve(monkeypatch):
    servers = []

    def start(**options) -> Server:
        servers.append(Server(**options))
        monkeypatch.setenv("OPENAI_BASE_URL", servers[-1].url)
        return servers[-1]

    monkeypatch.setattr("quantrag.engines.openai_engine.time.sleep", lambda seconds: None)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    yield start
    for server in servers:
        server.http.shutdown()
        server.http.server_close()


def make(tmp_path, **options) -> OpenAIEngine:
    chosen = {"concurrency": 1, "retries": 1, **options}
    chosen = settings(engine="openai", openai=chosen)
    spec = make_spec(fake_checkpoint(tmp_path), settings=chosen, max_model_len=64)
    return OpenAIEngine(replace(spec, model="m", precision="bf16", likelihood=False))


def answers(engine, prompts):
    engine.load()
    try:
        requests = [Request(str(i), ids, text) for i, (ids, text) in enumerate(prompts)]
        return list(engine.generate(requests))
    finally:
        engine.close()


# As a chat template writes it: BOS is in the text.
TEMPLATED = [([1, 5, 6], "<s> hello world"), ([1, 7], "<s> bye")]
# As a base model's prompt: the tokenizer, ours or the server's, adds BOS.
PLAIN = [([1, 5, 6], "hello world"), ([1, 7], "bye")]


def test_a_server_is_told_not_to_add_a_second_bos(serve, tmp_path, caplog):
    server = serve()
    got = answers(make(tmp_path, prompt_as="text"), TEMPLATED)
    assert [answer.prompt_tokens for answer in got] == [3, 2]
    # Found out at the first prompt, then kept to.
    assert [body.get("add_special_tokens") for body in server.bodies] == [None, False, False]
    assert not [record for record in caplog.records if "prompt of" in record.getMessage()]


def test_a_server_adds_the_bos_that_a_plain_text_lacks(serve, tmp_path):
    server = serve()
    got = answers(make(tmp_path, prompt_as="text"), PLAIN)
    assert [answer.prompt_tokens for answer in got] == [3, 2]
    assert all("add_special_tokens" not in body for body in server.bodies)


def test_a_second_bos_that_a_server_insists_on_is_said_once(serve, tmp_path, caplog):
    serve(knows_special_tokens=False)
    got = answers(make(tmp_path, prompt_as="text"), TEMPLATED)
    assert [answer.prompt_tokens for answer in got] == [4, 3]
    (said,) = (r.getMessage() for r in caplog.records if "a second BOS" in r.getMessage())
    assert "counts 4 tokens in a prompt of 3" in said


def test_vllms_server_is_asked_to_decode_as_every_engine_does(serve, tmp_path):
    server = serve(owned_by="vllm")
    answers(make(tmp_path, prompt_as="token_ids"), TEMPLATED[:1])
    (body,) = server.bodies
    assert body["repetition_penalty"] == 1.0
    assert (body["top_k"], body["min_p"], body["temperature"]) == (0, 0.0, 0)
    assert (body["ignore_eos"], body["stop_token_ids"]) == (True, [END])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"A title \ud83d", "A title \ufffd"),
        (r"\ude00 A title", "\ufffd A title"),
        (r"A title \ud83d\ude00", "A title \U0001f600"),
    ],
)
def test_half_of_a_surrogate_pair_is_replaced(serve, tmp_path, text, expected):
    serve(text=text.replace("%", "%%"))
    (answer,) = answers(make(tmp_path, prompt_as="token_ids"), TEMPLATED[:1])
    assert answer.text == expected
    answer.text.encode()


def test_what_pasting_added_to_key_and_address_is_left_out(serve, tmp_path, monkeypatch):
    server = serve()
    monkeypatch.setenv("OPENAI_API_KEY", f"\u201c{KEY}\u201d\n")
    monkeypatch.setenv("OPENAI_BASE_URL", f'"{server.url}"\n')
    answers(make(tmp_path), TEMPLATED[:1])
    assert set(server.keys) == {f"Bearer {KEY}"}


def echo(handler):
    handler.say(str(dict(handler.headers)), 418)
    return True


def busy_echo(handler):
    handler.say(str(dict(handler.headers)), 503)
    return True


def page(handler):
    handler.say(f"<html>{dict(handler.headers)}</html>")
    return True


def other_form(handler):
    handler.say({"headers": dict(handler.headers)})
    return True


def circle(handler):
    handler.send_response(302)
    handler.send_header("Location", f"/{handler.headers['Authorization'].split()[1]}")
    handler.end_headers()
    return True


def cut(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(handler.headers["Authorization"].encode())
    return True


@pytest.mark.parametrize("before", [echo, busy_echo, page, other_form, circle, cut])
def test_no_failure_prints_the_key(serve, tmp_path, monkeypatch, caplog, before):
    caplog.set_level("DEBUG")
    serve(before=before)
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    with pytest.raises(UserError) as raised:
        make(tmp_path).load()
    ours = "".join(r.getMessage() for r in caplog.records if r.name.startswith("quantrag"))
    assert "MARKER" not in str(raised.value) + ours
    assert "\n" not in str(raised.value)
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


@pytest.mark.parametrize("key", [f"{KEY[:4]} {KEY}", f"\u201c{KEY}\u2013x", f"{KEY}\n{KEY}"])
def test_a_key_that_no_header_holds_is_refused_without_being_shown(
    serve, tmp_path, monkeypatch, key
):
    serve()
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(UserError, match="OPENAI_API_KEY") as raised:
        make(tmp_path).load()
    assert "MARKER" not in str(raised.value)


@pytest.mark.parametrize(
    "address", ["localhost:8000", "http://", "http://[::1", "http://host:port/v1", "http://a b/v1"]
)
def test_an_address_that_is_none_is_one_clear_error(tmp_path, monkeypatch, address):
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    with pytest.raises(UserError, match="OPENAI_BASE_URL"):
        make(tmp_path).load()
