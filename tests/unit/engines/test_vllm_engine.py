"""What vLLM is told, and what is refused before it starts; it runs in tests/e2e."""

from dataclasses import replace

import pytest

import fake_nvml
from generation_samples import tiny_checkpoint
from quantrag.engines import vllm_engine
from quantrag.errors import UserError
from quantrag.quantization.hardware import Hardware
from vllm_samples import of_process, vllm_spec


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "checkpoint")


def test_arguments(checkpoint):
    arguments = vllm_engine.engine_arguments(
        vllm_spec(checkpoint, max_num_seqs=7, extra={"a": 1}), checkpoint
    )
    assert arguments["max_model_len"] == 300
    assert arguments["kv_cache_memory_bytes"] == 2 * 2**30
    assert arguments["max_num_seqs"] == 7
    assert arguments["a"] == 1
    assert arguments["trust_remote_code"] is False
    assert "max_num_batched_tokens" not in arguments
    assert "gpu_memory_utilization" not in arguments


def test_batch_invariance_needs_a_gpu_with_its_kernels(checkpoint, monkeypatch):
    spec = replace(vllm_spec(checkpoint), device="cuda")
    spec = replace(spec, options=spec.options | {"batch_invariant": True})
    fake_nvml.install(monkeypatch, [(8, 0)])
    vllm_engine._check_batch_invariant(spec)
    fake_nvml.install(monkeypatch, [(7, 5)])
    of_process(monkeypatch, spec)  # puts the environment back
    with pytest.raises(UserError, match=r"^generation\.vllm\.batch_invariant: .* GPU has 7\.5\.$"):
        vllm_engine.VllmEngine(spec).load()


def test_vllms_worker_is_not_the_users_to_extend(checkpoint):
    spec = vllm_spec(checkpoint, extra={"worker_extension_cls": "theirs.Worker"})
    with pytest.raises(UserError, match="'worker_extension_cls' is set by the workflow"):
        vllm_engine.VllmEngine(spec).load()


def test_too_little_memory_is_said_before_anything_is_loaded(checkpoint):
    engine = vllm_engine.VllmEngine(vllm_spec(checkpoint, kv_cache_gib=100_000))
    with pytest.raises(UserError, match=r"kv_cache_gib.* are free"):
        engine.load()


def test_a_prompt_larger_than_the_cache_is_said_before_anything_is_loaded(checkpoint):
    engine = vllm_engine.VllmEngine(vllm_spec(checkpoint, kv_cache_gib=1e-4))
    with pytest.raises(UserError, match=r"kv_cache_gib.*What would fit: a max_model_len of"):
        engine.load()


def test_the_root_of_a_chain_of_errors_is_named():
    error = RuntimeError("engine core failed")
    error.__cause__ = ValueError("the true cause\nand more")
    assert vllm_engine._root_cause(error) == "ValueError: the true cause"


def test_a_cpu_without_what_the_precision_needs_is_refused_before_vllm_is_loaded(
    checkpoint, monkeypatch
):
    spec = replace(vllm_spec(checkpoint), needs=Hardware(avx512=True))
    monkeypatch.setattr("quantrag.engines.device.flags", lambda: frozenset({"avx2"}))
    with pytest.raises(UserError, match=r"^precision fp32: .* needs a CPU with AVX-512"):
        vllm_engine.VllmEngine(spec).load()
