"""A headless Chromium for tests, through chromedriver's W3C WebDriver protocol.

https://www.w3.org/TR/webdriver2/ is small enough that no client library is needed for it.
"""

import base64
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# Without these Chromium calls its maker's servers at every start.
OFFLINE = [
    "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic", "--disable-dev-shm-usage",
]  # fmt: skip


class Browser:
    """One session; every failure of a command is an AssertionError with the driver's words."""

    def __init__(self, client: httpx.Client, session: str):
        self._client, self._session = client, session

    def call(self, method: str, path: str, body: dict | None = None):
        """One command; gives its value."""
        answer = self._client.request(method, f"/session/{self._session}/{path}", json=body)
        value = answer.json()["value"]
        assert answer.status_code == 200, value
        return value

    def open(self, path: Path) -> None:
        self.call("POST", "url", {"url": path.resolve().as_uri()})

    def run(self, script: str, *arguments):
        """Run the body of a JavaScript function; gives what it returns."""
        return self.call("POST", "execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, condition: str, seconds: float = 20):
        """Wait until a JavaScript expression is true; gives its value."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := self.run(f"return {condition}"):
                return value
            time.sleep(0.1)
        raise AssertionError(f"never true: {condition}; console: {self.console()}")

    def find(self, css: str) -> str:
        return self.call("POST", "element", {"using": "css selector", "value": css})[ELEMENT]

    def click(self, css: str) -> None:
        self.call("POST", f"element/{self.find(css)}/click", {})

    def type(self, css: str, text: str) -> None:
        self.call("POST", f"element/{self.find(css)}/value", {"text": text})

    def keys(self, *keys: str) -> None:
        """Press keys, one after the other, wherever the focus is."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        actor = {"type": "key", "id": "keyboard", "actions": actions}
        self.call("POST", "actions", {"actions": [actor]})

    def choose(self, css: str, value: str) -> None:
        """Choose an option of a select, as a user's choice tells the page."""
        self.run(
            "const s = document.querySelector(arguments[0]); s.value = arguments[1];"
            "s.dispatchEvent(new Event('change', {bubbles: true}))",
            css,
            value,
        )

    def cdp(self, command: str, **parameters):
        """A command of Chromium's DevTools."""
        return self.call("POST", "goog/cdp/execute", {"cmd": command, "params": parameters})

    def window(self, width: int, height: int, scheme: str = "light") -> None:
        """Set the window's size in CSS pixels and whether the user prefers light or dark."""
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        self.cdp(
            "Emulation.setEmulatedMedia",
            features=[{"name": name, "value": value} for name, value in features.items()],
        )

    def console(self) -> list[str]:
        """Messages of the console since the last call."""
        return [entry["message"] for entry in self.call("POST", "se/log", {"type": "browser"})]

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("GET", "screenshot")))


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser; skips the test where there is none."""
    driver = shutil.which("chromedriver")
    binary = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
    if driver is None or binary is None:
        pytest.skip("no Chromium with chromedriver on PATH")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [driver, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, trust_env=False)
        try:
            _ready(client, process)
            arguments = [*OFFLINE, f"--user-data-dir={profile}"]
            if os.geteuid() == 0:
                arguments.append("--no-sandbox")  # Chromium refuses to run as root with it
            options = {"binary": binary, "args": arguments}
            wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
            answer = client.post("/session", json={"capabilities": {"alwaysMatch": wanted}}).json()
            assert "sessionId" in answer["value"], answer["value"]
            session = answer["value"]["sessionId"]
            yield Browser(client, session)
            client.delete(f"/session/{session}")
        finally:
            client.close()
            process.terminate()
            process.wait(30)


def _ready(client: httpx.Client, process: subprocess.Popen) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if client.get("/status").json()["value"]["ready"]:
                return
        time.sleep(0.1)
    raise AssertionError("chromedriver didn't start")
