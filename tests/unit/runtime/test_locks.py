"""One holder at a time, with and without locks in the file system."""

import errno
import fcntl
import logging
import os
import subprocess
import sys
import threading
import time

import pytest

from quantrag.runtime.locks import exclusive


@pytest.fixture(params=[None, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK])
def file_system(request, monkeypatch):
    """The error of a file system without locks, or None."""
    if request.param:

        def flock(descriptor, operation):
            raise OSError(request.param, os.strerror(request.param))

        monkeypatch.setattr(fcntl, "flock", flock)
    return request.param


def test_one_thread_at_a_time_and_nothing_is_left(file_system, tmp_path, caplog):
    inside, most, order = [], [], []

    def work(number):
        with exclusive(tmp_path / "folder" / "lock"):
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.01)
            inside.remove(number)
            order.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(order) == list(range(8))
    assert set(most) == {1}
    assert list((tmp_path / "folder").iterdir()) == []
    warnings = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert all("has no locks" in text and "lock.held" in text for text in warnings)
    assert bool(warnings) == bool(file_system)


def test_an_error_inside_releases_it(file_system, tmp_path):
    for _ in range(2):
        with pytest.raises(ValueError, match="inside"), exclusive(tmp_path / "lock"):
            raise ValueError("inside")
    assert list(tmp_path.iterdir()) == []


def test_a_killed_holder_holds_nothing(file_system, tmp_path, root):
    patch = (
        f"def flock(*_): raise OSError({file_system}, 'no locks')\nfcntl.flock = flock\n"
        if file_system
        else ""
    )
    code = (
        f"import fcntl, os\n{patch}from quantrag.runtime.locks import exclusive\n"
        f"with exclusive({str(tmp_path / 'lock')!r}):\n    os._exit(9)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(root / "workflow" / "scripts")}
    assert subprocess.run([sys.executable, "-c", code], env=environment).returncode == 9
    assert list(tmp_path.iterdir()) != []
    done = threading.Event()

    def work():
        with exclusive(tmp_path / "lock"):
            done.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert done.wait(20)
    thread.join()
    assert list(tmp_path.iterdir()) == []


def test_an_error_that_is_not_of_locks_is_raised(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="exists"), exclusive(tmp_path / "file" / "lock"):
        pass
