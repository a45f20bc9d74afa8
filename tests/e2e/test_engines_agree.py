"""In float32, three ways of running the same small model give the same answers."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from generation_samples import cell_files, tiny_checkpoint
from quantrag.tables import read_table

KS = ["0", "1", "3", "5", "8"]
PROGRAM = Path(__file__).with_name("generate_job.py")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "checkpoint")


def generate(engine: str, folder: Path, checkpoint: Path, **environment: str):
    return subprocess.run(
        [sys.executable, PROGRAM, engine, folder, checkpoint, "3", "16"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def answers(folder: Path):
    tables = [read_table(path) for path in cell_files(folder / "completions" / "fp32", KS)]
    return {
        # Detokenizers differ in the space before a first word.
        "text": [list(table.text.str.strip()) for table in tables],
        "finish_reason": [list(table.finish_reason) for table in tables],
        "tokens": [list(table.output_tokens) for table in tables],
        "prompt_tokens": [list(table.prompt_tokens) for table in tables],
    }, [logprobs for table in tables for logprobs in table.logprobs]


@pytest.fixture(scope="module")
def reference(checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    result = generate("transformers", folder, checkpoint)
    assert result.returncode == 0, result.stderr[-3000:]
    return folder


@pytest.fixture(scope="module")
def server(checkpoint, tmp_path_factory):
    """A vLLM OpenAI server on loopback; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with open(log, "wb") as stream:
        process = subprocess.Popen(
            [
                *[sys.executable, "-m", "vllm.entrypoints.openai.api_server"],
                *["--model", checkpoint, "--served-model-name", "tiny", "--dtype", "float32"],
                *["--host", "127.0.0.1", "--port", str(port), "--enforce-eager"],
                *["--max-model-len", "512", "--gpu-memory-utilization", "0.3"],
                "--enable-prompt-tokens-details",
            ],
            stdout=stream,
            stderr=stream,
            env={
                **os.environ,
                "VLLM_CPU_KVCACHE_SPACE": "1",
                "VLLM_CPU_OMP_THREADS_BIND": "0-1",
                "HF_HUB_OFFLINE": "1",
                "VLLM_NO_USAGE_STATS": "1",
                # Compiling fails without a C++ compiler, and in a folder with a space.
                "TORCH_COMPILE_DISABLE": "1",
            },
            start_new_session=True,
        )
    try:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + 240
        while True:
            try:
                direct.open(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text()[-3000:]
                assert time.monotonic() < deadline, log.read_text()[-3000:]
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)


@pytest.mark.slow
@pytest.mark.parametrize("worker_process", ["0", "1"])
def test_vllm_agrees_with_transformers(reference, checkpoint, tmp_path, worker_process):
    result = generate("vllm", tmp_path, checkpoint, VLLM_ENABLE_V1_MULTIPROCESSING=worker_process)
    assert result.returncode == 0, result.stderr[-3000:]
    costs = json.loads((tmp_path / "costs/fp32.json").read_text())
    (report,) = costs["provenance"]["engine_reports"]
    assert report["kernels"]["QKVParallelLinear"] == ["UnquantizedLinearMethod"]
    # Keys and values of 2 layers with 2 heads of 32 float32 each; the cache has 0.25 GiB.
    assert report["cache_bytes_per_token"] == 2 * 2 * 2 * 32 * 4
    assert report["cache_tokens"] == pytest.approx(2**28 / 1024, rel=0.01)
    assert report["loaded_weight_bytes"] > 4 * 120_000
    same, logprobs = answers(tmp_path)
    expected, expected_logprobs = answers(reference)
    assert same == expected
    for row, expected_row in zip(logprobs, expected_logprobs, strict=True):
        assert row == pytest.approx(expected_row, abs=1e-3)


@pytest.mark.slow
def test_a_server_agrees_with_transformers(reference, server, checkpoint, tmp_path):
    result = generate("openai", tmp_path, checkpoint, OPENAI_BASE_URL=server)
    assert result.returncode == 0, result.stderr[-3000:]
    same, logprobs = answers(tmp_path)
    expected, expected_logprobs = answers(reference)
    assert same == expected
    for row, expected_row in zip(logprobs, expected_logprobs, strict=True):
        assert row == pytest.approx(expected_row, abs=1e-3)
    first = read_table(cell_files(tmp_path / "completions" / "fp32", KS)[-1])
    assert first.cached_tokens.notna().all()


@pytest.mark.slow
def test_an_engine_that_dies_while_loading_is_one_clear_error(checkpoint, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in checkpoint.iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    config = broken / "config.json"
    # Weights of another shape than the config says.
    config.write_text(
        config.read_text().replace('"intermediate_size": 128', '"intermediate_size": 256')
    )
    log = tmp_path / "log.txt"
    with open(log, "wb") as stream:
        code = subprocess.run(
            [sys.executable, PROGRAM, "vllm", tmp_path, broken, "1", "4"],
            stdout=stream,
            stderr=stream,
            timeout=200,
            check=False,
        ).returncode
    assert code == 1
    message = log.read_text().split("error: ")[-1]
    assert message.startswith(f"vLLM could not load {broken} (precision fp32): ")
    assert "Its last log lines:" in message
    assert "Starting to load model" in message
    assert "Traceback" not in message


def likelihoods(engine: str, checkpoint: Path, **environment: str):
    program = Path(__file__).with_name("likelihood_job.py")
    done = subprocess.run(
        [sys.executable, program, engine, checkpoint],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def reference_likelihoods(checkpoint):
    return likelihoods("transformers", checkpoint)


def same_likelihoods(found, expected):
    assert set(found["counts"].values()) == {1}
    assert found["answers"] == expected["answers"]
    assert found["likelihoods"].keys() == expected["likelihoods"].keys()
    for key, (logprobs, top) in expected["likelihoods"].items():
        assert found["likelihoods"][key][0] == pytest.approx(logprobs, abs=1e-4), key
        assert found["likelihoods"][key][1] == top, key


@pytest.mark.slow
def test_vllm_scores_continuations_as_transformers_does(checkpoint, reference_likelihoods):
    same_likelihoods(likelihoods("vllm", checkpoint), reference_likelihoods)


@pytest.mark.slow
def test_a_server_scores_continuations_too(server, checkpoint, reference_likelihoods):
    found = likelihoods("openai", checkpoint, OPENAI_BASE_URL=server)
    same_likelihoods(found, reference_likelihoods)
