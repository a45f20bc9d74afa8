"""Downloads against a local server that misbehaves in the ways that real ones do."""

import json
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from quantrag.errors import UserError
from quantrag.tasks.downloads import download_json

# Received in pieces of 65,536 bytes: of 70,000 bytes, one piece is kept.
CONTENT = json.dumps([{"id": str(i), "input": "x" * 500} for i in range(400)]).encode()


class Server:
    """Answers each request with the next of `plan` (the last one again and again)."""

    def __init__(self):
        self.plan = [self.whole]
        self.content = CONTENT
        self.etag = '"one"'
        self.requests = []  # headers
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.requests.append(dict(self.headers))
                answer = outer.plan.pop(0) if len(outer.plan) > 1 else outer.plan[0]
                answer(self)

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/dev_questions.json"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def send(self, handler, body, status=200, length=None, **headers):
        handler.send_response(status)
        headers = {"Content-Type": "application/json", "ETag": self.etag} | headers
        headers["Content-Length"] = len(body) if length is None else length
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), str(value))
        handler.end_headers()
        handler.wfile.write(body)
        if length is not None:
            handler.close_connection = True

    def whole(self, handler):
        self.send(handler, self.content)

    def truncated(self, n_bytes):
        """Break off after so many bytes; go on from there when asked to."""

        def answer(handler):
            start = self.asked_from(handler)
            if start is None:
                self.send(handler, self.content[:n_bytes], length=len(self.content))
            else:
                self.send_rest(handler, start, n_bytes)

        return answer

    def ranged(self, handler):
        start = self.asked_from(handler)
        if start is None:
            self.whole(handler)
        else:
            self.send_rest(handler, start)

    def send_rest(self, handler, start, n_bytes=None):
        rest = self.content[start:]
        content_range = f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
        body = rest[:n_bytes]
        self.send(handler, body, 206, length=len(rest), Content_Range=content_range)

    def asked_from(self, handler):
        asked = handler.headers.get("Range")
        if asked is None or handler.headers.get("If-Range") != self.etag:
            return None
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def status(self, code, body=b"no", **headers):
        return lambda handler: self.send(handler, body, code, **headers)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    yield server
    server.close()


@pytest.fixture
def download(server, tmp_path):
    """Download into tmp_path; gives the path and the waits between attempts."""
    waits = []

    def run(**options):
        path = tmp_path / "LaMP_5" / "dev_questions.json"
        download_json(server.url, path, sleep=waits.append, **options)
        return path

    run.waits = waits
    run.folder = tmp_path / "LaMP_5"
    return run


def test_whole_file_arrives_and_nothing_else_stays(download):
    path = download()
    assert path.read_bytes() == CONTENT
    assert list(download.folder.iterdir()) == [path]
    assert download.waits == []


def test_resumes_where_it_broke_off(server, download):
    server.plan = [server.truncated(70_000), server.truncated(70_000), server.ranged]
    assert download().read_bytes() == CONTENT
    assert [r.get("Range") for r in server.requests] == [None, "bytes=65536-", "bytes=131072-"]
    assert all(r["Accept-Encoding"] == "identity" for r in server.requests)


def test_a_later_call_goes_on_too(server, download):
    server.plan = [server.truncated(70_000), server.status(503)]
    with pytest.raises(UserError, match="what has arrived is kept"):
        download(max_attempts=2)
    assert not (download.folder / "dev_questions.json").exists()
    server.plan, server.requests = [server.ranged], []
    assert download().read_bytes() == CONTENT
    assert server.requests[0]["Range"] == "bytes=65536-"


def test_a_changed_file_is_started_over(server, download):
    server.plan = [server.truncated(70_000), server.ranged]
    server.etag = '"old"'
    first = server.plan[0]

    def changes_afterwards(handler):
        first(handler)
        server.etag, server.content = '"new"', b'[{"id": "other"}]'

    server.plan[0] = changes_afterwards
    assert json.loads(download().read_bytes()) == [{"id": "other"}]


def test_a_server_that_ignores_range_is_started_over(server, download):
    server.plan = [server.truncated(70_000), server.whole]
    assert download().read_bytes() == CONTENT
    assert server.requests[1]["Range"] == "bytes=65536-"


def test_a_wrong_part_is_not_joined(server, download):
    def shifted(handler):
        server.send_rest(handler, 60_000)

    server.plan = [server.truncated(70_000), shifted, server.ranged]
    assert download().read_bytes() == CONTENT


def test_a_part_beyond_the_end_is_started_over(server, download):
    server.plan = [server.truncated(70_000), server.status(416), server.whole]
    assert download().read_bytes() == CONTENT


def test_truncation_again_and_again_ends(server, download):
    server.plan = [lambda handler: server.send(handler, CONTENT[:100], length=len(CONTENT))]
    with pytest.raises(UserError, match="3 attempts without progress"):
        download(max_attempts=3)
    assert not (download.folder / "dev_questions.json").exists()


def test_truncation_without_a_length_is_found_by_the_content(server, download):
    def no_length(handler):
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(CONTENT[:5000])
        handler.close_connection = True

    server.plan = [no_length]
    with pytest.raises(UserError, match=r"what arrived is broken: line 1, column .*truncated"):
        download()
    assert list(download.folder.iterdir()) == []


@pytest.mark.parametrize("code", [408, 429, 500, 502, 503, 504])
def test_an_outage_is_waited_for(server, download, code):
    server.plan = [server.status(code), server.status(code), server.whole]
    assert download(first_wait_s=1.0).read_bytes() == CONTENT
    first, second = download.waits
    assert 0.5 <= first <= 1.5
    assert 1.0 <= second <= 3.0


def test_retry_after_is_respected_up_to_a_limit(server, download):
    server.plan = [
        server.status(429, Retry_After=7),
        server.status(503, Retry_After=10**6),
        server.status(503, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"),
        server.whole,
    ]
    download()
    assert download.waits == [7.0, 120.0, 0.0]


@pytest.mark.parametrize(("code", "text"), [(404, "no such file"), (403, "403"), (401, "401")])
def test_a_refusal_is_final(server, download, code, text):
    server.plan = [server.status(code)]
    with pytest.raises(UserError, match=text) as caught:
        download()
    assert server.url in str(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (b"<html>Log in</html>", "text/html; charset=utf-8", "web page"),
        (b"<html>Log in</html>", "application/json", "not JSON: it starts with '<html>"),
        (b"", "application/json", "not JSON"),
        (b'{"task": oops}', "application/json", "broken: line 1, column 10"),
        (b'["\xff"]', "application/json", "not UTF-8: byte 2"),
    ],
)
def test_what_is_not_json_is_refused(server, download, body, kind, text):
    server.plan = [lambda handler: server.send(handler, body, Content_Type=kind)]
    with pytest.raises(UserError, match=text):
        download()
    assert list(download.folder.iterdir()) == []


def test_objects_are_json_too(server, download):
    server.content = b'{"task": "LaMP_5", "golds": []}'
    assert download().read_bytes() == server.content


def test_nobody_answers(tmp_path):
    waits = []
    with pytest.raises(
        UserError, match=r"x\.json: ConnectionError: Failed to establish[^()]*refused \(3 attempts"
    ):
        download_json(
            "http://127.0.0.1:9/x.json", tmp_path / "x", max_attempts=3, sleep=waits.append
        )
    assert len(waits) == 2


def test_not_an_address(tmp_path):
    with pytest.raises(UserError, match="example"):
        download_json("example/x.json", tmp_path / "x")


def test_a_stalled_server_is_tried_again(server, download, monkeypatch):
    monkeypatch.setattr("quantrag.tasks.downloads.TIMEOUT_S", (5, 0.2))
    released = threading.Event()

    def stall(handler):
        handler.send_response(200)
        handler.send_header("ETag", server.etag)
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.end_headers()
        handler.wfile.write(CONTENT[:70_000])
        released.wait(10)
        handler.close_connection = True

    server.plan = [stall, server.ranged]
    assert download().read_bytes() == CONTENT
    released.set()
    assert [r.get("Range") for r in server.requests] == [None, "bytes=65536-"]


def test_a_reset_connection_is_resumed(server, download):
    def reset(handler):
        server.send(handler, CONTENT[:140_000], length=len(CONTENT))
        # With nothing to linger for, closing sends RST in place of FIN.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()

    server.plan = [reset, server.ranged]
    assert download().read_bytes() == CONTENT
    assert len(server.requests) == 2


def test_the_environments_proxy_is_asked(server, tmp_path, monkeypatch):
    """The server stands in for the proxy, which is asked for the whole address."""
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("http_proxy", server.url.rpartition("/")[0])
    download_json("http://lamp.invalid/dev.json", tmp_path / "dev.json", max_attempts=1)
    assert server.requests[0]["Host"] == "lamp.invalid"
    assert (tmp_path / "dev.json").read_bytes() == CONTENT


def test_what_is_not_accepted_gets_no_name(download):
    def refuse(path):
        assert path.read_bytes() == CONTENT
        raise UserError("another file than before")

    with pytest.raises(UserError, match="another file than before"):
        download(accept=refuse)
    assert list(download.folder.iterdir()) == []


def test_a_file_larger_than_the_disk_is_refused_before_it_comes(server, download):
    server.plan = [lambda handler: server.send(handler, b"[", length=10**18)]
    with pytest.raises(UserError, match=r"1,000,000,000,000 MB are needed in .*LaMP_5 and"):
        download()


def test_two_at_once_download_it_once(server, tmp_path):
    def slow(handler):
        time.sleep(0.2)
        server.whole(handler)

    server.plan = [slow]
    path = tmp_path / "dev.json"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: download_json(server.url, path), range(4)))
    assert path.read_bytes() == CONTENT
    assert len(server.requests) == 1
    assert list(tmp_path.iterdir()) == [path]
