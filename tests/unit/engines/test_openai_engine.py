"""A server's answers, and every way in which a server disappoints, as one clear error."""

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from generation_samples import answers, fake_checkpoint, make_spec, requests, settings
from quantrag.engines.base import Continuation
from quantrag.engines.openai_engine import OpenAIEngine
from quantrag.errors import UserError


class Server:
    """A stand-in for an OpenAI-compatible server: gives the answers it is told to give."""

    def __init__(self, model="tiny-fp32", script=()):
        self.bodies: list[dict] = []
        self.script = list(script)
        # Another parameter than OpenAI's: ignored, as its own server does.
        self.prompt_logprobs: list[dict] = [{"choices": [{"text": ""}]}]
        self.keys: set[str | None] = set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.reply(200, {"data": [{"id": model, "max_model_len": 400}]})

            def do_POST(self):
                server.keys.add(self.headers["Authorization"])
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if "prompt_logprobs" in body:
                    return self.reply(200, server.prompt_logprobs.pop(0))
                server.bodies.append(body)
                if server.script:
                    self.reply(*server.script.pop(0))
                    return
                tokens = len(body["prompt"])
                self.reply(
                    200,
                    {
                        "choices": [
                            {
                                "text": f"text {tokens}",
                                "finish_reason": "length",
                            }
                        ],
                        "usage": {"prompt_tokens": tokens, "completion_tokens": 3},
                    },
                )

            def reply(self, status, content):
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def serve(monkeypatch):
    servers = []

    def start(*arguments, **options) -> Server:
        servers.append(Server(*arguments, **options))
        monkeypatch.setenv("OPENAI_BASE_URL", servers[-1].url)
        return servers[-1]

    monkeypatch.setattr("quantrag.engines.openai_engine.time.sleep", lambda seconds: None)
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    yield start
    for server in servers:
        server.http.shutdown()
        server.http.server_close()


def make(tmp_path, **options):
    chosen = settings(engine="openai", openai={"retries": 2, **options})
    return OpenAIEngine(make_spec(fake_checkpoint(tmp_path), settings=chosen, max_model_len=300))


def test_answers(serve, tmp_path):
    server = serve()
    got = answers(make(tmp_path, concurrency=3), requests(20))
    assert len(got) == len(server.bodies) == 20
    completion = got["r1"]
    tokens = len(requests(2)[1].token_ids)
    assert (completion.text, completion.prompt_tokens) == (f"text {tokens}", tokens)
    assert completion.cached_tokens is None
    assert server.bodies[0]["temperature"] == 0
    assert server.keys == {"Bearer secret"}


def test_text_instead_of_token_ids(serve, tmp_path):
    server = serve()
    answers(make(tmp_path, prompt_as="text"), requests(1))
    assert server.bodies[0]["prompt"].startswith("w1 w3 ")


def test_a_busy_server_is_asked_again(serve, tmp_path):
    server = serve(script=[(503, {}), (429, {})])
    assert len(answers(make(tmp_path, concurrency=1), requests(2))) == 2
    assert len(server.bodies) == 4


def test_a_server_that_stays_busy_is_one_clear_error(serve, tmp_path):
    serve(script=[(503, b"overloaded")] * 3)
    with pytest.raises(UserError, match=r"after 3 tries .*503: overloaded"):
        answers(make(tmp_path), requests(1))


def test_a_wrong_key_is_one_clear_error(serve, tmp_path):
    server = serve(script=[(401, b"no such key")] * 3)
    with pytest.raises(UserError, match=r"no such key.*OPENAI_API_KEY"):
        answers(make(tmp_path), requests(1))
    assert len(server.bodies) == 1


def test_another_model_is_refused(serve, tmp_path):
    serve(model="llama")
    with pytest.raises(UserError, match=r"does not serve 'tiny-fp32'.* but 'llama'"):
        answers(make(tmp_path), requests(1))


def test_a_served_name_may_hold_the_precision(serve, tmp_path):
    serve(model="q/fp32")
    assert answers(make(tmp_path, served_model="q/{precision}"), requests(1))


def test_an_answer_of_another_form_is_one_clear_error(serve, tmp_path):
    serve(script=[(200, {"message": "hello"})])
    with pytest.raises(UserError, match="another form than OpenAI's"):
        answers(make(tmp_path), requests(1))


def test_prompt_logprobs_of_another_form_are_one_clear_error(serve, tmp_path):
    server = serve()
    entry = {"7": {"logprob": -1.0}}
    known = {"choices": [{"prompt_logprobs": [None, entry]}]}
    server.prompt_logprobs = [known, {"message": "hello"}]
    [plain] = requests(1)
    asked = replace(plain, answer=False, continuations=(Continuation("c", [7]),))
    with pytest.raises(UserError, match="prompt_logprobs of another form than vLLM's"):
        answers(make(tmp_path), [asked])
    # At the start it only means that the server doesn't score.
    server.prompt_logprobs = [{"message": "hello"}]
    engine = make(tmp_path)
    engine.load()
    assert not engine.scores_continuations


def test_html_is_one_clear_error(serve, tmp_path):
    serve(script=[(200, b"<html>")])
    with pytest.raises(UserError, match="did not answer in JSON"):
        answers(make(tmp_path), requests(1))


def test_a_changed_prompt_is_noticed(serve, tmp_path):
    usage = {"prompt_tokens": 1, "completion_tokens": 1}
    choice = {"text": "x", "finish_reason": "stop"}
    serve(script=[(200, {"choices": [choice], "usage": usage})])
    with pytest.raises(UserError, match="the server changed it"):
        answers(make(tmp_path), requests(1))


def test_a_server_that_takes_less_is_refused(serve, tmp_path):
    serve()
    engine = make(tmp_path)
    engine.spec = replace(engine.spec, max_model_len=500)
    with pytest.raises(UserError, match="takes 400 tokens"):
        engine.load()


def test_an_unreachable_server_is_one_clear_error(serve, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9/v1/models can't be reached"):
        make(tmp_path).load()


def test_no_address_is_one_clear_error(tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(UserError, match="OPENAI_BASE_URL"):
        make(tmp_path).load()
