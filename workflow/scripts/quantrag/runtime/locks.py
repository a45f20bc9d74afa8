"""A lock between processes that leaves nothing behind."""

import contextlib
import errno
import logging
from collections.abc import Iterator
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock

log = logging.getLogger(__name__)

#: What `flock` answers on file systems without locks: Lustre without `-o flock`, some NFS and FUSE.
NO_LOCKS = frozenset({errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK})


@contextlib.contextmanager
def exclusive(path: str | Path) -> Iterator[None]:
    """Hold a lock by the file `path`, waiting for it; the file is deleted at the end.

    Works between processes and threads, and between machines where the file system has locks. Where
    it has none, the file `{path}.held` stands in for one, with a warning. It says which process
    holds it, so one left behind by a killed process is noticed, but only on the same machine.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock: BaseFileLock = FileLock(path, fallback_to_soft=False)
    try:
        lock.acquire()
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        # Another file, as the attempt above has left `path` behind.
        lock = SoftFileLock(f"{path}.held")
        log.warning(
            "This file system has no locks (%s): %s stands in for one. If it stays there "
            "although nothing runs, delete it.",
            error.strerror,
            lock.lock_file,
        )
        lock.acquire()
    try:
        yield
    finally:
        # While it is held: whoever has opened the file meanwhile notices, and begins again.
        path.unlink(missing_ok=True)
        lock.release()
