"""The completion journal: what was generated stays generated, whatever happens to the job.

A text file with one JSON object per line, appended as completions finish. Snakemake deletes a
job's outputs before it reruns the job, so the journal lies outside of them. A line counts when it
ends in a newline; what a killed writer left behind is dropped on reading and cut off before the
next line is written.
"""

import errno
import fcntl
import json
import logging
import os
import socket
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from quantrag.engines.base import Completion, Likelihood
from quantrag.errors import UserError

log = logging.getLogger(__name__)

NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Journaled(NamedTuple):
    """What a journal holds.

    Attributes:
        completions: by key, the first one where a key stands twice.
        sessions: the engine's, in the order in which they began; the latest state of each.
        likelihoods: by key, as the completions.
    """

    completions: dict[str, Completion]
    sessions: list[dict[str, Any]]
    likelihoods: dict[str, Likelihood]


def read_journal(path: str | Path, keys: Collection[str] | None = None) -> Journaled:
    """Read a journal.

    Args:
        path: the journal; a file that doesn't exist yet reads as empty.
        keys: of the completions and likelihoods wanted; None for all. The rest are not kept in
            memory.
    """
    completions: dict[str, Completion] = {}
    likelihoods: dict[str, Likelihood] = {}
    sessions: dict[str, dict[str, Any]] = {}
    damaged = 0
    if not Path(path).exists():
        return Journaled({}, [], {})
    with open(path, "rb") as stream:
        for line in stream:
            if not line.endswith(b"\n"):
                log.info("%s: the last line is incomplete (a killed run); dropped.", path)
                break
            try:
                entry = json.loads(line)
                if "session" in entry:
                    sessions[entry["session"]] = entry
                elif keys is not None and entry["key"] not in keys:
                    continue
                elif "text" not in entry:
                    likelihoods.setdefault(entry["key"], Likelihood(**entry))
                else:
                    completions.setdefault(entry["key"], Completion(**entry))
            except (ValueError, KeyError, TypeError):
                damaged += 1
    if damaged:
        log.warning("%s: %d damaged lines; their prompts are answered again.", path, damaged)
    return Journaled(completions, list(sessions.values()), likelihoods)


class Journal:
    """A journal open for writing, by one process at a time.

    Use as a context manager. The lock is the operating system's, so it ends with the process,
    however that ends.

    Raises:
        UserError: another process is writing this journal, or the disk is full.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock = self._take_lock()
            self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115 (closed in `close`)
        except OSError as error:
            raise _readable(error, self.path) from error
        self._end = _cut_torn_line(self.path)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def append(self, result: Completion | Likelihood) -> None:
        """Write one result; when this returns, a kill of the process can't lose it."""
        self._write(asdict(result))

    def append_session(self, session: Mapping[str, Any]) -> None:
        """Write the state of an engine session; `session["session"]` is its id."""
        self._write(session)

    def close(self) -> None:
        """Flush to the disk and release the lock."""
        if not self._file.closed:
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                raise _readable(error, self.path) from error
            finally:
                self._file.close()
                os.close(self._lock)

    def _write(self, entry: Mapping[str, Any]) -> None:
        line = memoryview(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
        try:
            written = 0
            while written < len(line):
                written += self._file.write(line[written:])
        except OSError as error:
            # The half line would be dropped on reading anyway; cutting it frees its space.
            os.truncate(self.path, self._end)
            raise _readable(error, self.path) from error
        self._end += len(line)

    def _take_lock(self) -> int:
        lock_path = self.path.with_name(f"{self.path.name}.lock")
        handle = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            # POSIX locks, not flock(): a forked worker process doesn't inherit them, so one that
            # outlives its parent can't keep the journal locked.
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                owner = os.pread(handle, 200, 0).decode(errors="replace").strip()
                os.close(handle)
                raise UserError(
                    f"{self.path}: already being written by {owner or 'another process'}. "
                    "Wait for it or end it, then run again."
                ) from None
            if error.errno in NO_SPACE:
                os.close(handle)
                raise
            log.warning("%s: this file system has no locks (%s); going on.", lock_path, error)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        return handle


def _cut_torn_line(path: Path) -> int:
    """Cut off what follows the last newline; returns the length that stays, in bytes."""
    with open(path, "r+b") as stream:
        end = stream.seek(0, os.SEEK_END)
        keep = 0
        position = end
        while position > 0 and not keep:
            start = max(0, position - 65536)
            stream.seek(start)
            keep = stream.read(position - start).rfind(b"\n") + 1
            keep = start + keep if keep else 0
            position = start
        if keep < end:
            stream.truncate(keep)
    return keep


def _readable(error: OSError, path: Path) -> Exception:
    if error.errno in NO_SPACE:
        return UserError(
            f"{path}: no space left to write ({error.strerror}). Everything finished so far is "
            "kept: free some space and run again to go on from here."
        )
    return error
