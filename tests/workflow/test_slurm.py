"""A small grid through a real Slurm, with profiles/slurm: GPUs, groups, a lost node, a kill."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
import yaml

import slurm_cluster
from quantrag.tables import read_table
from running import copy_project
from slurm_cluster import SlurmCluster
from unit.prompt_tokenizers import llama_2

EXPERIMENT = "slurm"
SECOND = "noise-floor"
QUERIES = 32
#: k = 0, and k = 1 with each of two retrievers.
PROMPTS = 3 * QUERIES


@pytest.fixture
def cluster():
    reason = slurm_cluster.missing()
    if reason:
        pytest.skip(reason)
    # A socket's path has 107 characters at most, so not in pytest's folders.
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    found = SlurmCluster(folder)
    try:
        found.start()
        yield found
    finally:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)


def checkpoint(folder: Path) -> None:
    """A random Llama of 200,000 weights, which answers in tenths of a second, and a tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = llama_2()
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)


@pytest.fixture
def grid(root, tmp_path):
    """The project with a small grid in `grid.yaml`."""
    folder = copy_project(root, tmp_path / "project")
    checkpoint(tmp_path / "checkpoint")
    (folder / "grid.yaml").write_text(yaml.safe_dump(configuration(tmp_path / "checkpoint")))
    yield folder
    # On a node that was lost, the job's own Snakemake waits for its step without end.
    for process in psutil.process_iter(["cmdline"]):
        if any(str(folder) in word for word in process.info["cmdline"] or []):
            process.kill()


def configuration(checkpoint: Path) -> dict:
    """A grid of two generation jobs on the CPU, long enough to be killed."""
    return {
        "experiment": EXPERIMENT,
        "tasks": {"LaMP-3U": {"lamp": 3, "source": {"kind": "demo", "users": QUERIES}}},
        "retrievers": {
            "recent": {"kind": "order", "by": "recency"},
            "random": {"kind": "order", "by": "random"},
        },
        "models": {
            "tiny": {
                "source": {"kind": "folder", "folder": str(checkpoint)},
                "context": 4096,
            },
        },
        "precisions": {"fp32": {"method": "none", "dtype": "float32"}},
        "baseline": "fp32",
        "k": [0, 1],
        "noise_floor": True,
        "generation": {
            "engine": "transformers",
            "device": "cpu",
            # Side by side: no job waits for the other's answers.
            "likelihood": "none",
            "transformers": {"batch_size": 1},
        },
    }


def journal(folder: Path, precision: str) -> list[str]:
    """Keys of the answers that are written already."""
    [path] = (folder / "results" / EXPERIMENT / "journals").glob(f"*/{precision}.jsonl")
    lines = path.read_bytes().split(b"\n")[:-1]
    return [entry["key"] for entry in map(json.loads, lines) if "key" in entry]


def run_on_slurm(folder: Path) -> subprocess.Popen:
    """Start the run; its output goes to `run.log`."""
    command = [sys.executable, "-m", "snakemake", "--nocolor", "--configfile", "grid.yaml"]
    command += ["--workflow-profile", "profiles/slurm"]
    # As on a cluster with GPUs, where `generation.device` is cuda.
    command += ["--set-resources", "generate:gpu=1", "--set-threads", "generate=1"]
    # No accounting here; and nobody is spared by asking more rarely.
    command += ["--slurm-status-command", "squeue", "--slurm-no-account"]
    command += ["--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "5"]
    command += ["--seconds-between-status-checks", "1"]
    with open(folder / "run.log", "wb") as log:
        return subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def kill_while_generating(folder: Path, cluster: SlurmCluster, seen: dict) -> None:
    """Fail the node below two generation jobs, then cancel one of those that came again.

    Both must be running for the first, only the second job for the other; and each time it has
    written some answers since it started.
    """
    before = 0
    for kill, at_least in ((lambda _: cluster.fail_node(), 2), (cluster.cancel, 1)):
        while "stop" not in seen:
            time.sleep(0.3)
            try:
                running = cluster.running()
                done = len(journal(folder, SECOND))
            except (ValueError, AssertionError):
                continue  # no journal yet; a job that ended meanwhile
            gpu_jobs = {job: text for job, text in running.items() if "GRES=gpu" in text}
            seen.setdefault("details", {}).update(gpu_jobs)
            victims = [job for job, text in gpu_jobs.items() if SECOND in text]
            if victims and len(gpu_jobs) >= at_least and before + 4 <= done < PROMPTS:
                try:
                    kill(victims[0])
                except AssertionError:
                    continue  # it ended just now
                time.sleep(0.5)
                before = len(journal(folder, SECOND))
                seen.setdefault("answers", []).append(journal(folder, SECOND))
                break


@pytest.mark.slow
def test_a_grid_with_gpus_groups_and_kills(grid, cluster):
    run = run_on_slurm(grid)
    seen: dict = {}
    watcher = threading.Thread(target=kill_while_generating, args=(grid, cluster, seen))
    watcher.start()
    try:
        status = run.wait(timeout=900)
    finally:
        seen["stop"] = True
        watcher.join()
        run.kill()
    log = (grid / "run.log").read_text()
    assert status == 0, log[-5000:]
    assert (grid / "results" / EXPERIMENT / "figures" / "k_sweep.pdf").exists()

    # Two at a time, each on a GPU of its own, by Slurm's word and by the jobs' own.
    details = seen["details"].values()
    assert all(re.search(r"GRES=gpu:fake:1\(IDX:[01]\)", text) for text in details), details
    assert {re.search(r"IDX:(\d)", text)[1] for text in details} == {"0", "1"}
    logs = (grid / "logs" / EXPERIMENT / "generate").glob("*/*.log")
    used = [re.findall(r"GPUs of this job: (\S+)", path.read_text()) for path in logs]
    assert len(used) == 2
    assert all(len(gpus) == 1 and gpus[0] in ("0", "1") for gpus in used)

    # What was ended came again with more, and did only what was missing.
    assert len(seen.get("answers", [])) == 2, "two kills were wanted"
    jobs = cluster.ended_jobs()
    states = Counter(job["JobState"] for job in jobs)
    # A third job may have been on the node.
    assert states["NODE_FAIL"] in (2, 3)
    assert states["CANCELLED"] == 1
    assert set(states) == {"NODE_FAIL", "CANCELLED", "COMPLETED"}
    limits = sorted(int(job["TimeLimit"]) for job in jobs if int(job["TimeLimit"]) >= 720)
    assert limits == [720, 720, 1440, 1440, 2160]
    answers = journal(grid, SECOND)
    for kept in seen["answers"]:
        assert answers[: len(kept)] == kept
    assert 4 <= len(seen["answers"][0]) < len(seen["answers"][1]) < len(answers)
    assert max(Counter(answers).values()) == 1
    files = (grid / "results" / EXPERIMENT / "completions").glob(f"*/{SECOND}/**/*.parquet")
    assert sum(len(read_table(file)) for file in files) == PROMPTS

    # Some twenty rules' jobs beside the three of `generate` share a few of Slurm's.
    [total] = re.findall(r"^total +(\d+)", log, re.MULTILINE)[:1]
    assert int(total) >= 20
    assert len(jobs) <= 13, [job["Name"] for job in jobs]
