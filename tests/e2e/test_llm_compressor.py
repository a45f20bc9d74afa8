"""llm-compressor quantizes a small random model in its own environment, as it says it does."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from generation_samples import tiny_checkpoint
from quantrag.checkpoints.folder import fingerprint, validate
from quantrag.errors import UserError
from quantrag.quantization.llm_compressor_environment import run

METHODS = {
    "awq": {"group_size": 32, "sym": True, "grid": 3},
    "w8a8": {"smoothing_strength": 0.5},
    "fp8": {},
}
PROGRAM = "import json, sys; from quantrag.quantization.llm_compressor_environment import run; "
PROGRAM += "run(json.loads(sys.argv[1]), sys.argv[2])"


@pytest.fixture(scope="module")
def venv(root) -> Path:
    folder = root / ".venv-llm-compressor"
    if not (folder / "locks").exists():  # written last, when all is installed
        pytest.skip("llm-compressor is not here: make llm-compressor-env")
    return folder


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("tiny model") / "checkpoint")


def request(original: Path, folder: Path, method: str, **changes) -> dict:
    texts = np.random.default_rng(0).integers(3, 200, (8, 64)).tolist()
    wanted = {
        "original": str(original),
        "checkpoint": str(folder),
        "texts": texts,
        "method": method,
        "parameters": METHODS[method],
        "device": "cpu",
        "threads": 2,
    }
    return wanted | changes


@pytest.fixture(scope="module")
def quantized(original, venv, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("quantized")
    for method in METHODS:
        run(request(original, folder / method, method), venv)
    return {method: folder / method for method in METHODS}


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_the_checkpoint_is_whole_and_says_what_it_is(quantized, original, method):
    folder = quantized[method]
    validate(folder, chat_template=False, quantized=True)
    said = json.loads((folder / "quantization.json").read_text())
    assert said["method"] == method
    assert said["original"]["fingerprint"] == fingerprint(original)
    assert said["calibration"]["texts"] == 8
    assert len(said["modules"]) == 14
    # With scales of groups of 32 or of a row, and the shapes.
    bits = 4 if method == "awq" else 8
    assert bits < said["bits_per_weight"] < bits + 1.1
    assert {"llmcompressor", "compressed-tensors"} <= set(said["tools"])
    # Half a step of 8 bits, of the floating-point format's 3, of 4 bits.
    limit = {"awq": 0.15, "w8a8": 0.02, "fp8": 0.04}[method]
    for module in said["modules"]:
        assert 0 < module["relative_error"] < limit
        assert 0 < module["output_error"] < 1.5 * limit
    assert not any("pickle" in path.name or path.suffix == ".bin" for path in folder.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_transformers_answers_nearly_as_the_original(quantized, original, method):
    from quantrag.checkpoints.loading import load_model

    exact = load_model(original, "float32", "cpu")
    model = load_model(quantized[method], "float32", "cpu")
    ids = torch.tensor(np.random.default_rng(1).integers(3, 200, (4, 64)))
    with torch.inference_mode():
        difference = model(ids).logits - exact(ids).logits
        size = difference.norm() / exact(ids).logits.norm()
    # A random model amplifies rounding; the outputs of an unrelated one differ by 1.4.
    assert 0 < size < {"awq": 0.8, "w8a8": 0.2, "fp8": 0.4}[method]


@pytest.mark.slow
def test_mistakes_come_back_as_one_message(original, venv, tmp_path):
    wrong = {"group_size": 48, "sym": True, "grid": 3}
    with pytest.raises(UserError, match="group_size 48 does not divide"):
        run(request(original, tmp_path / "wrong", "awq", parameters=wrong), venv)
    with pytest.raises(UserError, match="no calibration texts"):
        run(request(original, tmp_path / "wrong", "fp8", texts=[]), venv)
    assert not (tmp_path / "wrong").exists()


@pytest.mark.slow
def test_a_killed_job_ends_its_process_and_leaves_no_checkpoint(original, venv, tmp_path, root):
    folder = tmp_path / "killed"
    wanted = json.dumps(request(original, folder, "awq"))
    parent = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, wanted, str(venv)],
        env={**os.environ, "PYTHONPATH": str(root / "workflow" / "scripts")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    partial = tmp_path / ".killed~tmp"
    wait(lambda: partial.exists() or parent.poll() is not None)
    [child] = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait(lambda: not running(child))
    assert not running(child)
    assert not folder.exists()
    run(request(original, folder, "awq"), venv)
    validate(folder, chat_template=False, quantized=True)
    assert not partial.exists()


def wait(condition, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)


def running(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
