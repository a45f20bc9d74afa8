"""A stand-in for the Hub that fails in all the ways that the real one does."""

import hashlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import huggingface_hub.constants

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
                if mode == "gated" and path.endswith("/auth-check"):
                    return self.say(403, echo, X_Error_Code="GatedRepo")
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

    def patch(self, monkeypatch) -> None:
        """Make the library ask this server, without its pauses."""
        address = f"http://127.0.0.1:{self.http.server_port}"
        template = "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", address)
        monkeypatch.setattr(
            huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + template
        )
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr("time.sleep", lambda seconds: None)

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


def _sha(body: bytes) -> str:
    return hashlib.sha1(body).hexdigest()
