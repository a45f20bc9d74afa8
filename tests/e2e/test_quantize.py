"""GPTQModel quantizes a small random model; what it wrote is what is said about it."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from generation_samples import tiny_checkpoint
from quantrag.checkpoints.folder import fingerprint, validate
from quantrag.checkpoints.gptq_format import dense_state, dequantize, quantized_modules
from quantrag.errors import UserError

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).with_name("quantize_job.py")
SYMMETRIC = {f"b{bits}": {"bits": bits} for bits in (8, 4, 3, 2)}
OTHERS = {
    "asymmetric": {"sym": False},
    "act-order": {"desc_act": True},
    "autogptq": {"group_aware": False, "damp_percent": 0.01},
    "rows": {"group_size": -1},
    "again": {},
}
ALL = {**SYMMETRIC, **OTHERS}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "checkpoint")


def command(original: Path, folder: Path, parameters: dict, *more: str) -> list[str]:
    return [sys.executable, str(PROGRAM), original, folder, "16", json.dumps(parameters), *more]


@pytest.fixture(scope="module")
def quantized(original, tmp_path_factory, root):
    folder = tmp_path_factory.mktemp("quantized")
    done = subprocess.run(
        command(original, folder, ALL, "--multiply"),
        env=environment(root),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def environment(root: Path) -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(root / "workflow" / "scripts")}


def description(folder: Path) -> dict:
    return json.loads((folder / "quantization.json").read_text())


def mean_error(folder: Path) -> float:
    return float(np.mean([m["relative_error"] for m in description(folder)["modules"]]))


@pytest.mark.parametrize("name", ALL)
def test_the_checkpoint_is_whole_and_says_what_it_is(quantized, original, name):
    folder = quantized / name
    validate(folder, chat_template=False, quantized=True)
    said = description(folder)
    assert said["method"] == "gptq"
    assert said["parameters"]["bits"] == ALL[name].get("bits", 4)
    assert said["original"]["fingerprint"] == fingerprint(original)
    assert said["calibration"]["texts"] == 16
    assert said["calibration"]["tokens"] == 16 * 64
    # 2 blocks of 7 layers.
    assert len(said["modules"]) == 14
    assert all(module["gptq_loss"] is not None for module in said["modules"])
    assert said["quantized_weights"] == 2 * (4 * 64 * 64 + 3 * 64 * 128)
    assert set(said["tools"]) == {"gptqmodel", "torch", "transformers"}


def test_more_bits_lose_less(quantized):
    errors = [mean_error(quantized / name) for name in SYMMETRIC]
    assert errors == sorted(errors)
    assert errors[0] < 0.01
    assert errors[1] < 0.15
    stored = [description(quantized / name)["bits_per_weight"] for name in SYMMETRIC]
    assert stored == sorted(stored, reverse=True)
    # In groups of 32: a 16-bit scale and a zero point of `bits` bits; and 32 bits per input.
    assert description(quantized / "b4")["modules"][0]["bits_per_weight"] == pytest.approx(
        4 + 20 / 32 + 32 / 64
    )


@pytest.mark.parametrize("name", ALL)
def test_layers_multiply_by_the_weights_that_we_unpack(quantized, name):
    folder = quantized / name
    stored = load_file(folder / "model.safetensors")
    expected = load_file(quantized / f"{name}.safetensors")
    for module in quantized_modules(folder):
        parts = {p: stored[f"{module}.{p}"] for p in ("qweight", "qzeros", "scales", "g_idx")}
        ours = dequantize(**parts, bits=ALL[name].get("bits", 4))
        torch.testing.assert_close(ours, expected[module], rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("name", ALL)
def test_transformers_loads_and_multiplies_by_the_same_weights(quantized, name):
    """Checkpoints in AutoGPTQ's format, as its maintained successor writes them."""
    from quantrag.checkpoints.loading import load_model

    model = load_model(quantized / name, "float32", "cpu")
    expected = load_file(quantized / f"{name}.safetensors")
    layers = dict(model.named_modules())
    for module in quantized_modules(quantized / name):
        weight = layers[module].weight
        torch.testing.assert_close(weight, expected[module], rtol=2e-3, atol=2e-3)
    answer = model.generate(torch.tensor([[1, 5, 7]]), max_new_tokens=3, do_sample=False)
    assert answer.shape[1] > 3


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_biases_that_auto_gptq_adds_are_left_out_where_they_are_zero(quantized, tmp_path, value):
    from quantrag.checkpoints.loading import load_model

    folder = shutil.copytree(quantized / "b4", tmp_path / "with biases")
    state = load_file(folder / "model.safetensors")
    for name in [name for name in state if name.endswith(".scales")]:
        state[name.replace("scales", "bias")] = torch.full((state[name].shape[1],), value)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    if value:
        with pytest.raises(UserError, match="bias"):
            load_model(folder, "float32", "cpu")
        return
    ids = torch.tensor([[1, 5, 7]])
    answers = [
        load_model(path, "float32", "cpu").generate(ids, max_new_tokens=8, do_sample=False)
        for path in (folder, quantized / "b4")
    ]
    assert torch.equal(*answers)


def test_vllms_layers_multiply_by_the_weights_that_we_unpack(quantized, original, tmp_path, root):
    program, file = PROGRAM.with_name("vllm_products.py"), tmp_path / "products.safetensors"
    done = subprocess.run(
        [sys.executable, program, quantized / "b4", original, file],
        env={**environment(root), "PYTHONPATH": f"{root}/workflow/scripts:{root}/tests"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    products = load_file(file)
    state = dense_state(quantized / "b4", torch.float32)
    joined = {"qkv_proj": ("q_proj", "k_proj", "v_proj"), "gate_up_proj": ("gate_proj", "up_proj")}
    assert len(products) == 2 * 4
    for name, product in products.items():
        block, _, kind = name.rpartition(".")
        parts = [state[f"{block}.{part}.weight"] for part in joined.get(kind, (kind,))]
        # bfloat16 has 8 significant bits.
        torch.testing.assert_close(product, torch.cat(parts), rtol=2**-7, atol=2**-9)


def test_output_errors_follow_the_bits(quantized):
    errors = [
        float(np.mean([m["output_error"] for m in description(quantized / name)["modules"]]))
        for name in SYMMETRIC
    ]
    assert errors == sorted(errors)
    assert 0 < errors[0] < 0.02


def test_the_same_work_gives_the_same_files(quantized):
    assert fingerprint(quantized / "again") == fingerprint(quantized / "b4")
    assert description(quantized / "again") == description(quantized / "b4")


def test_layers_that_wait_on_disk_give_the_same_files(quantized, original, tmp_path, root):
    done = subprocess.run(
        command(original, tmp_path, {"offloaded": {}}, "--offload"),
        env=environment(root),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert fingerprint(tmp_path / "offloaded") == fingerprint(quantized / "b4")
    assert not (tmp_path / "offloaded" / "offload").exists()


def test_the_tokenizer_is_the_originals(quantized, original):
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        assert (quantized / "b4" / name).read_bytes() == (original / name).read_bytes()


def test_nothing_of_the_machine_is_in_the_files(quantized):
    for path in (quantized / "b4").iterdir():
        if path.suffix == ".json":
            assert str(quantized.parent) not in path.read_text()
    assert not (quantized / "b4" / "quant_log.csv").exists()


def test_a_killed_job_leaves_nothing_that_passes_for_a_checkpoint(original, tmp_path, root):
    process = subprocess.Popen(
        command(original, tmp_path, {"killed": {}}),
        env=environment(root),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    partial = tmp_path / ".killed~tmp"
    deadline = time.monotonic() + 120
    while not partial.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert partial.exists()
    assert not (tmp_path / "killed").exists()
    done = subprocess.run(
        command(original, tmp_path, {"killed": {}}),
        env=environment(root),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    validate(tmp_path / "killed", chat_template=False, quantized=True)
    assert not partial.exists()
