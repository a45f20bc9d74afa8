"""A lock between processes that leaves nothing behind."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def exclusive(path: str | Path) -> Iterator[None]:
    """Hold a lock by the file `path`, waiting for it; the file is deleted at the end.

    Works between processes and threads, and between machines where the file system has locks.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        stream = open(path, "w")  # noqa: SIM115
        fcntl.flock(stream, fcntl.LOCK_EX)
        # Whoever held it before has deleted the file that we waited for: begin again.
        with contextlib.suppress(FileNotFoundError):
            if os.fstat(stream.fileno()).st_ino == path.stat().st_ino:
                break
        stream.close()
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        stream.close()
