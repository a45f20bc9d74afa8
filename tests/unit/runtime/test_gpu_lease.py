"""Two jobs never share a GPU, however they start, wait and end."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quantrag.errors import UserError
from quantrag.runtime.gpu_lease import VISIBLE, leased_gpus, lock_folder, visible_gpus

# Appends to `log` when it gets its GPUs and when it gives them back. One write is one line: order
# in the file is order in time.
JOB = """
import json, os, sys, time
from pathlib import Path
from quantrag.runtime.gpu_lease import leased_gpus

count, seconds, folder, log = int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def say(event, held):
    seen = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
    line = {"event": event, "pid": os.getpid(), "gpus": held, "seen": seen}
    os.write(out, (json.dumps(line) + "\\n").encode())
with leased_gpus(count, folder) as held:
    say("got", held)
    time.sleep(seconds)
    say("gave", held)
"""


@pytest.fixture
def start(tmp_path, root):
    """Starts a job that holds `count` of the visible GPUs for some seconds."""
    jobs = []

    def start(count, seconds, visible="0,1,2", **more):
        environment = {**os.environ, "PYTHONPATH": str(root / "workflow" / "scripts"), **more}
        environment[VISIBLE] = visible
        command = [sys.executable, "-c", JOB, str(count), str(seconds), tmp_path, tmp_path / "log"]
        jobs.append(subprocess.Popen(command, env=environment))
        return jobs[-1]

    yield start
    for job in jobs:
        job.kill()
        job.wait()


def events(folder: Path) -> list[dict]:
    log = folder / "log"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_jobs_never_share_a_gpu_and_all_gpus_are_used(start, tmp_path):
    jobs = [start(count, 0.2) for count in (1, 2, 1, 3, 1, 1, 2)]
    assert [job.wait(timeout=60) for job in jobs] == [0] * len(jobs)
    owners, most = {}, 0
    for event in events(tmp_path):
        assert event["seen"] == event["gpus"]
        for gpu in event["gpus"]:
            if event["event"] == "got":
                assert gpu not in owners, f"{gpu} belongs to two jobs"
                owners[gpu] = event["pid"]
            else:
                del owners[gpu]
        most = max(most, len(owners))
    assert most == 3
    assert owners == {}
    assert sum(event["event"] == "gave" for event in events(tmp_path)) == len(jobs)


def test_a_job_that_was_killed_holds_nothing(start, tmp_path):
    first = start(3, 60)
    wait_for(lambda: len(events(tmp_path)) == 1)
    second = start(2, 0)
    time.sleep(0.5)
    assert len(events(tmp_path)) == 1, "took GPUs that another job holds"
    first.send_signal(signal.SIGKILL)
    assert second.wait(timeout=20) == 0


def test_a_job_for_all_gpus_is_not_overtaken_for_ever(start, tmp_path):
    start(1, 1)
    wait_for(lambda: len(events(tmp_path)) == 1)
    large = start(3, 0)
    time.sleep(1)  # it waits by now
    small = [start(1, 0) for _ in range(3)]
    assert [job.wait(timeout=30) for job in (large, *small)] == [0] * 4
    got = [event["pid"] for event in events(tmp_path) if event["event"] == "got"]
    assert got[1] == large.pid


def test_names_are_kept_as_the_user_or_scheduler_gave_them(start, tmp_path):
    jobs = [start(1, 0.5, visible="GPU-1a, MIG-2b/3/0") for _ in range(2)]
    assert [job.wait(timeout=20) for job in jobs] == [0, 0]
    got = [event["gpus"] for event in events(tmp_path) if event["event"] == "got"]
    assert sorted(got) == [["GPU-1a"], ["MIG-2b/3/0"]]


def test_several_gpus_keep_the_order_of_the_list(start, tmp_path):
    assert start(2, 0, visible="5,3").wait(timeout=20) == 0
    assert events(tmp_path)[0]["gpus"] == ["5", "3"]


def test_too_few_gpus_is_a_mistake_that_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv(VISIBLE, "4")
    message = r"asks for 2 GPUs, 1 are visible here \(4\)"
    with pytest.raises(UserError, match=message), leased_gpus(2, tmp_path):
        pass


def test_a_job_that_asks_for_none_sees_none_and_all_is_as_before_afterwards(monkeypatch, tmp_path):
    monkeypatch.setenv(VISIBLE, "0,1")
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)
    with leased_gpus(0, tmp_path) as held:
        assert (held, os.environ[VISIBLE]) == ([], "")
    with leased_gpus(1, tmp_path) as held:
        assert os.environ[VISIBLE] == held[0]
    assert os.environ[VISIBLE] == "0,1"
    assert "CUDA_DEVICE_ORDER" not in os.environ


def test_a_machine_without_gpus_is_left_as_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv(VISIBLE, "")
    with leased_gpus(1, tmp_path) as held:
        assert held == []


def test_without_the_variable_the_driver_says_which_there_are(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visible_gpus({}) == []
    tool = tmp_path / "nvidia-smi"
    tool.write_text('#!/bin/sh\n[ "$1" = --query-gpu=index ] && printf "0\\n1\\n"\n')
    tool.chmod(0o755)
    assert visible_gpus({}) == ["0", "1"]


def test_inside_slurm_the_locks_are_the_jobs_own(monkeypatch, tmp_path):
    """Two Slurm jobs on a node may both name their only GPU 0."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    outside = lock_folder()
    assert outside.stat().st_mode & 0o077 == 0
    folders = set()
    for job in ("7", "8"):
        monkeypatch.setenv("SLURM_JOB_ID", job)
        folders.add(lock_folder())
    assert len(folders | {outside}) == 3


def test_somebody_elses_folder_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"quantrag-gpus-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="isn't yours"):
        lock_folder()


@pytest.fixture
def no_locks(monkeypatch):
    def flock(descriptor, operation):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setenv(VISIBLE, "3,5")


def test_without_locks_a_job_gets_all_gpus_with_a_warning(no_locks, tmp_path, caplog):
    with leased_gpus(2, tmp_path) as held:
        assert held == ["3", "5"]
        assert os.environ[VISIBLE] == "3,5"
    assert "without locks" in caplog.text


def test_without_locks_a_part_of_the_gpus_is_refused(no_locks, tmp_path):
    with pytest.raises(UserError, match=r"without locks .*Set TMPDIR"), leased_gpus(1, tmp_path):
        pass
