"""A generation that is killed again and again ends with every prompt answered exactly once."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path

import pytest

from generation_samples import cell_files, tiny_checkpoint
from quantrag.generation.journal import read_journal
from quantrag.tables import read_table

KS = ["0", "1", "3", "5", "8"]
QUERIES = 48
NEW_TOKENS = 48
KILLS = 10
PROGRAM = Path(__file__).with_name("generate_job.py")


def start(folder: Path, checkpoint: Path, mark: str) -> subprocess.Popen:
    with open(folder / "log.txt", "ab") as log:
        return subprocess.Popen(
            [sys.executable, PROGRAM, "vllm", folder, checkpoint, str(QUERIES), str(NEW_TOKENS)],
            stdout=log,
            stderr=log,
            env={**os.environ, "QUANTRAG_TEST_MARK": mark},
            start_new_session=True,
        )


def finish(folder: Path, checkpoint: Path) -> None:
    code = start(folder, checkpoint, "").wait(timeout=300)
    assert code == 0, (folder / "log.txt").read_text()[-3000:]


def journal_keys(folder: Path) -> list[str]:
    """Keys of the whole lines, in file order, repetitions kept."""
    path = folder / "journals" / "fp32.jsonl"
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]
    return [entry["key"] for entry in map(json.loads, lines) if "key" in entry]


def survivors(mark: str) -> list[str]:
    """Processes that still carry the mark in their environment."""
    wanted = f"QUANTRAG_TEST_MARK={mark}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (process / "environ").read_bytes():
                found.append(process.name)
        except OSError:
            continue
    return found


def texts(folder: Path) -> dict[tuple[str, str], list[str]]:
    return {
        path.parts[-3:]: list(read_table(path).text)
        for path in cell_files(folder / "completions" / "fp32", KS)
    }


def likelihoods(folder: Path) -> list[float]:
    """Every logprob of every continuation."""
    return [
        logprob
        for path in cell_files(folder / "completions" / "fp32", KS)
        for own in read_table(path).likelihoods
        for one in own
        for logprob in one["logprobs"]
    ]


@pytest.mark.slow
def test_ten_kills_at_random_moments(tmp_path):
    checkpoint = tiny_checkpoint(tmp_path / "checkpoint")
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    whole.mkdir()
    torn.mkdir()
    finish(whole, checkpoint)
    total = len(journal_keys(whole))
    # Of each query and k two answers, the likelihoods of five ratings and that of a gold text.
    assert total == (2 + 5 + 1) * len(KS) * QUERIES

    moments = random.Random()
    while_generating = 0
    for kill in range(KILLS):
        before = journal_keys(torn)
        mark = uuid.uuid4().hex
        process = start(torn, checkpoint, mark)
        if kill < 2:  # while loading, or early
            time.sleep(moments.uniform(0.2, 10))
        else:
            enough = len(before) + moments.randrange(1, total // (KILLS - 1))
            deadline = time.monotonic() + 180
            while len(journal_keys(torn)) < enough and time.monotonic() < deadline:
                time.sleep(moments.uniform(0.001, 0.05))
                assert process.poll() is None, "ended before it could be killed"
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        time.sleep(0.2)
        assert survivors(mark) == []
        journaled = read_journal(torn / "journals" / "fp32.jsonl")
        after = journal_keys(torn)
        assert set(journaled.completions) | set(journaled.likelihoods) == set(after)
        assert after[: len(before)] == before
        while_generating += len(after) > len(before)
    assert while_generating >= KILLS - 2

    finish(torn, checkpoint)
    assert max(Counter(journal_keys(torn)).values()) == 1
    assert sorted(journal_keys(torn)) == sorted(journal_keys(whole))
    assert texts(torn) == texts(whole)
    assert likelihoods(torn) == pytest.approx(likelihoods(whole), abs=1e-4)
