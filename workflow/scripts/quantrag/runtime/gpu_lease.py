"""Which GPUs a job computes on: as many as its rule asks for, shared with no other job.

Snakemake counts GPUs but hands out no numbers, so two jobs would both take the first. Each GPU has
a lock file here; a job holds as many as it asks for while it runs and sees only those, through
CUDA_VISIBLE_DEVICES. The kernel drops the locks of a job that ends in any way. Locks are per user
and machine, and inside a Slurm job per job: Slurm has handed its GPUs to that job alone.
"""

import contextlib
import fcntl
import logging
import os
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from quantrag.errors import UserError

log = logging.getLogger(__name__)

VISIBLE = "CUDA_VISIBLE_DEVICES"
#: Seconds between two looks for a free GPU.
_PAUSE = 0.5


def visible_gpus(environment: Mapping[str, str]) -> list[str]:
    """Names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them.

    Where the variable is unset: the numbers of all GPUs that the driver lists, none without one.
    """
    if VISIBLE in environment:
        return [name.strip() for name in environment[VISIBLE].split(",") if name.strip()]
    query = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.split()


@contextlib.contextmanager
def leased_gpus(count: int, folder: Path | None = None) -> Iterator[list[str]]:
    """Hold `count` GPUs and make them the only visible ones in this process and its children.

    Waits while other jobs hold too many. Who waits first is served first, so a job that needs
    several GPUs isn't overtaken for ever. Without any GPU on the machine nothing is held or
    changed: whether a CPU will do is for the engine to say.

    Args:
        count: GPUs that the job's rule asks for; 0 hides all of them.
        folder: where the lock files lie; by default per user, machine and Slurm job.

    Raises:
        UserError: fewer than `count` GPUs are visible; or more are, and there are no locks in the
            folder's file system.
    """
    names = visible_gpus(os.environ) if count else []
    if count and not names:
        yield []
        return
    if count > len(names):
        raise UserError(
            f"This job asks for {count} GPUs, {len(names)} are visible here ({','.join(names)}). "
            "Lower generation.vllm.tensor_parallel_size, or make more visible."
        )
    with contextlib.ExitStack() as locks:
        held = _hold(names, count, folder or lock_folder(), locks) if count else []
        before = {name: os.environ.get(name) for name in (VISIBLE, "CUDA_DEVICE_ORDER")}
        os.environ[VISIBLE] = ",".join(held)
        # CUDA's own order is by speed; the driver's list, from which the numbers are, by bus.
        os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
        try:
            yield held
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def lock_folder() -> Path:
    """The folder of this user's lock files, in the machine's folder for temporary files.

    Raises:
        UserError: somebody else's folder has its name.
    """
    folder = Path(tempfile.gettempdir()) / f"quantrag-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
        raise UserError(f"{folder} isn't yours: delete it, or set TMPDIR to a folder of your own.")
    if "SLURM_JOB_ID" in os.environ:
        folder /= f"slurm-{os.environ['SLURM_JOB_ID']}"
        folder.mkdir(exist_ok=True)
    return folder


def _hold(names: list[str], count: int, folder: Path, locks: contextlib.ExitStack) -> list[str]:
    """Lock `count` of the named GPUs, and say which; the locks last as long as `locks`."""
    held: set[str] = set()
    with open(folder / "queue", "a") as queue:
        # Only the first in the queue takes locks, so nobody holds a part and waits for the rest.
        try:
            fcntl.flock(queue, fcntl.LOCK_EX)
        except OSError as error:
            return _without_locks(names, count, folder, error)
        said = False
        while True:
            for name in names:
                if len(held) < count and name not in held and _lock(folder / _file(name), locks):
                    held.add(name)
            if len(held) == count:
                # In the order of the list: it is the order of the ranks.
                ordered = [name for name in names if name in held]
                log.info("GPUs of this job: %s", ",".join(ordered))
                return ordered
            if not said:
                log.info("Waiting for GPUs: %d held, %d needed", len(held), count)
                said = True
            time.sleep(_PAUSE)


def _without_locks(names: list[str], count: int, folder: Path, error: OSError) -> list[str]:
    """All visible GPUs, which Snakemake gives to one job at a time; a part of them is refused."""
    reason = f"{folder} is on a file system without locks ({error.strerror})"
    if count < len(names):
        raise UserError(
            f"{reason}: which of the {len(names)} visible GPUs are free can't be told. Set TMPDIR "
            "to a folder on a local disk."
        )
    log.warning("%s: another run on this machine may compute on the same GPUs.", reason)
    return names


def _file(name: str) -> str:
    return f"gpu-{name.replace('/', '_')}"


def _lock(path: Path, locks: contextlib.ExitStack) -> bool:
    with contextlib.ExitStack() as opened:
        stream = opened.enter_context(open(path, "a"))
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        locks.push(opened.pop_all())
    return True
