"""Download JSON files: resumed after a break, retried after an outage, refused when they are wrong.

Proxies and certificates come from the environment (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE), as
`requests` reads them.
"""

import email.utils
import logging
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import requests
from tqdm import tqdm

from quantrag.errors import UserError
from quantrag.runtime.locks import exclusive
from quantrag.tasks.json_stream import iterate_list, load_json

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 6  # without progress
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 120.0
TIMEOUT_S = (20, 60)  # to connect, and between two bytes
# What a broken connection costs at most.
_CHUNK_BYTES = 2**16
_PASSING_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


def download_json(
    url: str,
    path: str | Path,
    accept: Callable[[Path], None] = lambda path: None,
    max_attempts: int = MAX_ATTEMPTS,
    first_wait_s: float = FIRST_WAIT_S,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Download a JSON file to `path`, which appears only when the file is whole and is JSON.

    What has arrived is kept beside `path` as `.{name}.part` until then, and a later call goes on
    from there where the server allows it and the file there is still the same (If-Range). Processes
    that want the same file wait for the first of them.

    Args:
        url: http or https.
        path: the file to write.
        accept: called with the whole file before it gets its name; raises UserError to refuse it.
        max_attempts: how often to try without getting any further.
        first_wait_s: seconds before the second attempt; doubled for every further one and drawn
            from 50 to 150 % of that. A server's Retry-After takes its place (at most
            `LONGEST_WAIT_S`).
        sleep: replaced in tests.

    Raises:
        UserError: the server refuses (404 and the like), stays out of reach, sends something that
            isn't JSON, such as a proxy's log-in page, or the disk is too small for the file.
    """

    def accept_json(arrived: Path) -> None:
        _check_json(arrived, url)
        accept(arrived)

    download(url, path, accept_json, max_attempts, first_wait_s, sleep)


def download(
    url: str,
    path: str | Path,
    accept: Callable[[Path], None],
    max_attempts: int = MAX_ATTEMPTS,
    first_wait_s: float = FIRST_WAIT_S,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """As `download_json`, for a file of any kind: `accept` has to tell what isn't one."""
    path = Path(path)
    started_ns = time.time_ns()
    with exclusive(path.with_name(f".{path.name}.lock")):
        if path.exists() and path.stat().st_mtime_ns > started_ns:
            return  # another process has just downloaded it
        _download(url, _Partial(path), accept, max_attempts, first_wait_s, sleep)


def _download(
    url: str,
    partial: "_Partial",
    accept: Callable[[Path], None],
    max_attempts: int,
    first_wait_s: float,
    sleep: Callable[[float], None],
) -> None:
    failures, furthest = 0, partial.size()
    with requests.Session() as session:
        while True:
            try:
                _fetch(session, url, partial)
                break
            except _PassingFailure as failure:
                if partial.size() > furthest:
                    failures, furthest = 0, partial.size()
                failures += 1
                if failures >= max_attempts:
                    raise UserError(
                        f"{url}: {failure} ({failures} attempts without progress). Check the "
                        "network and the proxy settings (HTTPS_PROXY) and run again: what has "
                        "arrived is kept."
                    ) from None
                wait = failure.retry_after_s
                if wait is None:
                    wait = first_wait_s * 2 ** (failures - 1) * random.uniform(0.5, 1.5)
                wait = min(wait, LONGEST_WAIT_S)
                log.warning("%s: %s; next attempt in %.1f s", url, failure, wait)
                sleep(wait)
    try:
        accept(partial.path)
    except UserError:
        partial.discard()
        raise
    partial.finish()
    log.info("%s: %d bytes", partial.target, partial.target.stat().st_size)


class _PassingFailure(Exception):
    """A failure that may be over at the next attempt."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class _Partial:
    """A file that has arrived in part, with the server's mark of its version."""

    def __init__(self, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        self.target = target
        self.path = target.with_name(f".{target.name}.part")
        self._mark_path = target.with_name(f".{target.name}.part-version")

    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def mark(self) -> str:
        return self._mark_path.read_text(encoding="utf-8") if self._mark_path.exists() else ""

    def start(self, mark: str) -> None:
        self.path.write_bytes(b"")
        self._mark_path.write_text(mark, encoding="utf-8")

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._mark_path.unlink(missing_ok=True)

    def finish(self) -> None:
        os.replace(self.path, self.target)
        self._mark_path.unlink(missing_ok=True)


def _fetch(session: requests.Session, url: str, partial: _Partial) -> None:
    """One attempt: get what is missing of the file, all of it."""
    # Compressed on the way, a file's length says nothing and its parts can't be joined.
    headers = {"Accept-Encoding": "identity"}
    offset = partial.size()
    if offset and partial.mark():
        headers |= {"Range": f"bytes={offset}-", "If-Range": partial.mark()}
    try:
        with session.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as response:
            if response.status_code == 416:  # nothing after `offset`: it is another file now
                partial.discard()
                raise _PassingFailure("the part that is already here doesn't fit")
            _check_response(response, url)
            if response.status_code == 206 and _first_byte(response) == offset:
                log.info("%s: going on from byte %d", url, offset)
            elif response.status_code == 206:
                partial.discard()
                raise _PassingFailure("the server sent another part than the one asked for")
            else:
                offset = 0
                partial.start(_version_mark(response))
            _receive(response, url, partial, offset)
    except requests.exceptions.SSLError as error:
        raise UserError(
            f"{url}: the server's certificate can't be verified ({error}). Behind a proxy that "
            "inspects traffic, point REQUESTS_CA_BUNDLE to its certificates."
        ) from None
    except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as error:
        raise UserError(f"{url}: {error}") from None
    except requests.exceptions.RequestException as error:
        raise _PassingFailure(_reason(error)) from None


def _reason(error: requests.exceptions.RequestException) -> str:
    """The innermost reason in words, without the layers of retries and connections around it."""
    reason: object = error
    while True:
        inner = getattr(reason, "reason", None) or next(iter(getattr(reason, "args", ())), None)
        if not isinstance(inner, Exception):
            break
        reason = inner
    return f"{type(error).__name__}: {str(reason).rpartition('): ')[2]}"


def _check_response(response: requests.Response, url: str) -> None:
    status = f"{response.status_code} {response.reason}"
    if response.status_code in _PASSING_STATUS:
        raise _PassingFailure(f"the server answered {status}", _retry_after_s(response))
    if response.status_code in (404, 410):
        raise UserError(f"{url}: there is no such file ({status}).")
    if response.status_code not in (200, 206):
        raise UserError(f"{url}: the server answered {status}.")
    kind = response.headers.get("Content-Type", "")
    if "html" in kind.lower():
        raise UserError(
            f"{url}: a web page ({kind}) came instead of JSON. Is there a proxy or a log-in "
            "page in between?"
        )


def _receive(response: requests.Response, url: str, partial: _Partial, offset: int) -> None:
    total = None
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and not response.headers.get("Content-Encoding"):
        total = offset + int(length)
        _check_space(partial.path, int(length), url)
    with (
        open(partial.path, "ab") as stream,
        tqdm(
            total=total,
            initial=offset,
            unit="B",
            unit_scale=True,
            desc=url.rsplit("/", 1)[-1],
            mininterval=5,
        ) as progress,
    ):
        for chunk in response.iter_content(_CHUNK_BYTES):
            stream.write(chunk)
            progress.update(len(chunk))
    if total is not None and partial.size() != total:
        raise _PassingFailure(f"truncated: {partial.size()} of {total} bytes arrived")


def _check_space(path: Path, needed: int, url: str) -> None:
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        raise UserError(
            f"{url}: {needed / 1e6:,.0f} MB are needed in {path.parent} and {free / 1e6:,.0f} MB "
            "are free."
        )


def _first_byte(response: requests.Response) -> int | None:
    """Of a partial answer: "Content-Range: bytes 500-999/1000" -> 500."""
    unit, _, content_range = response.headers.get("Content-Range", "").partition(" ")
    first = content_range.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdigit() else None


def _version_mark(response: requests.Response) -> str:
    """What If-Range may name: a strong ETag, or the time of the last change."""
    etag = response.headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return etag
    return response.headers.get("Last-Modified", "")


def _retry_after_s(response: requests.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _check_json(path: Path, url: str) -> None:
    with open(path, "rb") as stream:
        start = stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] not in (b"[", b"{"):
        raise UserError(f"{url}: not JSON: it starts with {start[:40].decode(errors='replace')!r}.")
    try:
        if start[:1] == b"[":
            for _ in iterate_list(path):
                pass
        else:
            load_json(path)
    except UserError as error:
        problem = str(error).removeprefix(f"{path}: ")
        raise UserError(f"{url}: what arrived is broken: {problem}") from None
