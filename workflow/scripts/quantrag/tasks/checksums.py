"""Trust on first use: a file's checksum is recorded when it first arrives, then kept to.

LaMP publishes no checksums. The record is a file of the user's checkout, to be committed with it,
so that everybody who runs the same checkout evaluates on the same bytes.
"""

import hashlib
import logging
import os
from pathlib import Path

from quantrag.errors import UserError
from quantrag.runtime.locks import exclusive

log = logging.getLogger(__name__)

_HEADER = (
    "# Checksums of downloaded files, recorded when each first arrived. A file that differs later\n"
    "# is refused; to accept it, delete its line. Commit this file with your results.\n"
    "sha256\tbytes\turl\n"
)


def verify(path: str | Path, url: str, lock_file: str | Path) -> None:
    """Check a file against the record of its URL; record it where there is none yet.

    Safe against other processes that record at the same time, on file systems with POSIX locks.

    Args:
        path: the file.
        url: where it was downloaded from.
        lock_file: the record; created when it doesn't exist.

    Raises:
        UserError: the file differs from the record, or the record isn't one.
    """
    path, lock_file = Path(path), Path(lock_file)
    with open(path, "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    size = path.stat().st_size
    # The record is replaced when it changes, so the lock is another file.
    with exclusive(lock_file.with_name(f".{lock_file.name}.lock")):
        known = read_lock(lock_file)
        if url not in known:
            known[url] = (digest, size)
            _write(lock_file, known)
            log.info("%s: sha256 %s recorded in %s", url, digest, lock_file)
            return
    expected, expected_size = known[url]
    if digest != expected:
        raise UserError(
            f"{url}: not the file that was downloaded first: its sha256 is {digest[:12]}... "
            f"({size} bytes), {lock_file} says {expected[:12]}... ({expected_size} bytes). Results "
            f"would not be comparable. To accept it, delete that line of {lock_file}; if the file "
            "was changed on your disk, delete the file; then run again."
        )


def read_lock(lock_file: str | Path) -> dict[str, tuple[str, int]]:
    """SHA-256 and size in bytes of each recorded file, by URL; empty where there is no record.

    Raises:
        UserError: a line of another form.
    """
    path = Path(lock_file)
    if not path.exists():
        return {}
    known = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith(("#", "sha256\t")):
            continue
        parts = line.split("\t")
        if len(parts) != 3 or len(parts[0]) != 64 or not parts[1].isdigit():
            raise UserError(
                f"{path}: line {number}: sha256, bytes and URL are expected, separated by tabs."
            )
        known[parts[2]] = (parts[0], int(parts[1]))
    return known


def _write(path: Path, known: dict[str, tuple[str, int]]) -> None:
    lines = (f"{digest}\t{size}\t{url}\n" for url, (digest, size) in sorted(known.items()))
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(_HEADER + "".join(lines), encoding="utf-8")
    os.replace(temporary, path)
