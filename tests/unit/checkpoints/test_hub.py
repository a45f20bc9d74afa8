"""Downloads from a stand-in for the Hub that fails in all the ways that the real one does."""

import hashlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import huggingface_hub.constants
import pytest

from quantrag.checkpoints import hub
from quantrag.errors import UserError

REVISION = "a" * 40
TOKEN = "hf_MARKERMARKER"
# The library writes what arrives in pieces of 10 MiB.
WEIGHTS = b"\x02\0\0\0\0\0\0\0{}" + bytes(24 * 2**20)
FILES = {
    "config.json": b'{"model_type": "llama"}',
    "tokenizer.json": b"{}",
    "model.safetensors": WEIGHTS,
    "1_Pooling/config.json": b'{"pooling_mode_cls_token": true}',
    "onnx/model.safetensors": b"another format",
    "adapter_model.safetensors": b"an adapter",
    "modeling_custom.py": b"raise SystemExit",
}


class Hub:
    """Answers as the Hub does, except for what `mode` says."""

    def __init__(self, mode: str) -> None:
        hub = self
        self.ranges: list[str | None] = []
        self.sent: list[str] = []
        self.cuts = {"cut": 99, "cut once": 1}.get(mode, 0)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def say(self, status, body=b"", **head):
                self.send_response(status)
                head = {"Content-Length": str(len(body)), **head}
                for key, value in head.items():
                    self.send_header(key.replace("_", "-"), value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def do_GET(self):
                path = self.path.split("?")[0]
                # As some proxies do, with the request's own headers in the body.
                echo = str(dict(self.headers)).encode()
                if mode.isdigit():
                    return self.say(int(mode), echo)
                if mode == "repository":
                    return self.say(401, echo, X_Error_Code="RepoNotFound")
                if mode == "token":
                    message = "Invalid credentials in Authorization header"
                    return self.say(401, echo, X_Error_Message=message)
                if mode == "revision":
                    return self.say(404, echo, X_Error_Code="RevisionNotFound")
                if mode == "page":
                    return self.say(200, b"<html>log in</html>", Content_Type="text/html")
                if mode == "other JSON":
                    return self.say(200, b'{"hello": "world"}')
                if mode == "circle":
                    return self.say(302, Location=self.path)
                if mode == "silent":
                    return threading.Event().wait(5)
                if mode == "reset":
                    self.close_connection = True
                    return self.connection.shutdown(socket.SHUT_RDWR)
                if "/tree/" in path:
                    entries = [
                        {"type": "file", "path": name, "size": len(body), "oid": _sha(body)}
                        for name, body in FILES.items()
                    ]
                    return self.say(200, json.dumps(entries).encode())
                if "/resolve/" not in path:
                    return self.say(200, json.dumps({"id": "a/b", "sha": REVISION}).encode())
                if mode == "gated":
                    return self.say(403, echo, X_Error_Code="GatedRepo")
                name = path.split(f"/resolve/{REVISION}/")[1]
                body = FILES[name]
                head = {"X_Repo_Commit": REVISION, "ETag": f'"{_sha(body)}"'}
                if mode == "no ETag":
                    del head["ETag"]
                return self.file(name, body, head)

            do_HEAD = do_GET

            def file(self, name, body, head):
                if self.command == "GET":
                    hub.sent.append(name)
                if self.command == "HEAD" or name != "model.safetensors":
                    return self.say(200, body, **head)
                start = self.headers.get("Range")
                hub.ranges.append(start)
                offset = int(start.removeprefix("bytes=").rstrip("-")) if start else 0
                rest = body[offset:]
                if hub.cuts == 0:
                    return self.say(206 if start else 200, rest, **head)
                hub.cuts -= 1
                self.send_response(206 if start else 200)
                for key, value in {"Content-Length": str(len(rest)), **head}.items():
                    self.send_header(key.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(rest[: len(rest) // 2])
                self.wfile.flush()
                self.close_connection = True

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


def _sha(body: bytes) -> str:
    return hashlib.sha1(body).hexdigest()


@pytest.fixture
def start(monkeypatch, tmp_path):
    hubs = []

    def one(mode: str) -> Hub:
        hubs.append(Hub(mode))
        address = f"http://127.0.0.1:{hubs[-1].http.server_port}"
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", address)
        template = "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(
            huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + template
        )
        return hubs[-1]

    # With the line break that a file gave it.
    monkeypatch.setenv("HF_TOKEN", f"{TOKEN}\n")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    # The library's pauses between its tries, and ours.
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(hub, "_SILENCE", 0.3)
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
