"""What vLLM is told, and what is refused before it starts; it runs in tests/e2e."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import fake_nvml
from generation_samples import make_spec, settings, tiny_checkpoint
from quantrag.engines import vllm_engine
from quantrag.engines.base import Continuation, Likelihood
from quantrag.errors import UserError
from quantrag.quantization.hardware import Hardware


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "checkpoint")


def vllm_spec(checkpoint, **options):
    return make_spec(checkpoint, settings=settings(engine="vllm", vllm=options), max_model_len=300)


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


def of_process(monkeypatch, spec):
    """What decides whether vLLM starts a process of its own."""
    # Set first, so that it is put back.
    monkeypatch.setenv("VLLM_ENABLE_V1_MULTIPROCESSING", "")
    monkeypatch.delenv("VLLM_ENABLE_V1_MULTIPROCESSING")
    for name in (
        "HF_HUB_OFFLINE",
        "VLLM_NO_USAGE_STATS",
        "DO_NOT_TRACK",
        "VLLM_LOGGING_COLOR",
        "VLLM_BATCH_INVARIANT",
    ):
        monkeypatch.setenv(name, "")
    vllm_engine._set_environment(spec)
    return os.environ.get("VLLM_ENABLE_V1_MULTIPROCESSING")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "0"),
        ({"tensor_parallel_size": 2}, None),
        ({"extra": {"pipeline_parallel_size": 2}}, None),
        ({"extra": {"pipeline_parallel_size": 1, "data_parallel_size": None}}, "0"),
    ],
)
def test_one_gpu_is_computed_on_in_the_jobs_own_process(checkpoint, monkeypatch, options, expected):
    spec = replace(vllm_spec(checkpoint, **options), device="cuda")
    assert of_process(monkeypatch, spec) == expected


@pytest.mark.parametrize("chosen", [False, True])
def test_batch_invariance_is_the_configs_business(checkpoint, monkeypatch, chosen):
    spec = replace(vllm_spec(checkpoint, tensor_parallel_size=2), device="cuda")
    spec = replace(spec, options=spec.options | {"batch_invariant": chosen})
    monkeypatch.setenv("VLLM_BATCH_INVARIANT", str(int(not chosen)))
    of_process(monkeypatch, spec)
    assert os.environ["VLLM_BATCH_INVARIANT"] == str(int(chosen))


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


def position(**logprobs):
    """What vLLM says of the tokens at a position, by their ids (`t7`)."""
    return {int(t[1:]): SimpleNamespace(logprob=value) for t, value in logprobs.items()}


def test_an_answer_says_how_likely_the_texts_are_that_it_goes_along_with():
    answer = SimpleNamespace(
        token_ids=[7, 8], logprobs=[position(t7=-0.5, t5=-1.0), position(t8=-0.25, t9=-2.0)]
    )
    texts = {"label": [5], "same": [7, 8], "parts": [7, 9, 9], "other": [7, 4], "more": [7, 8, 1]}
    known = vllm_engine._known(answer, [Continuation(key, ids) for key, ids in texts.items()])
    assert known == {
        "label": Likelihood("label", [-1.0], [False]),
        "same": Likelihood("same", [-0.5, -0.25], [True, True]),
        # The first token where it parts is known, what follows it is not.
        "parts": Likelihood("parts", [-0.5, -2.0], [True, False]),
        "other": Likelihood("other", [-0.5], [True]),
        "more": Likelihood("more", [-0.5, -0.25], [True, True]),
    }


def test_a_reading_adds_what_the_answer_has_not_said():
    texts = [Continuation("a", [7, 9, 3]), Continuation("b", [7, 9, 4])]
    reading = vllm_engine._Reading([1, 2], texts, Likelihood("", [-0.5], [True]))
    output = SimpleNamespace(
        prompt_logprobs=[None, None, None, position(t9=-1.5, t6=-0.5)],
        outputs=[SimpleNamespace(logprobs=[position(t3=-0.75, t4=-0.75, t8=-2.0)])],
    )
    assert list(reading.likelihoods(output)) == [
        # Equals are both the most likely.
        Likelihood("a", [-0.5, -1.5, -0.75], [True, False, True]),
        Likelihood("b", [-0.5, -1.5, -0.75], [True, False, True]),
    ]
    # The position of the first token that isn't known is the third.
    assert [reading.is_lost(cached) for cached in (0, 2, 3, 4)] == [False, False, True, True]
    closed = vllm_engine._Reading([1, 2], [Continuation("c", [3])], Likelihood("", [], []))
    assert not closed.is_lost(2)


def test_a_cpu_without_what_the_precision_needs_is_refused_before_vllm_is_loaded(
    checkpoint, monkeypatch
):
    spec = replace(vllm_spec(checkpoint), needs=Hardware(avx512=True))
    monkeypatch.setattr("quantrag.engines.device.flags", lambda: frozenset({"avx2"}))
    with pytest.raises(UserError, match=r"^precision fp32: .* needs a CPU with AVX-512"):
        vllm_engine.VllmEngine(spec).load()


def test_libraries_in_a_path_with_a_space_are_preloaded_by_links(tmp_path, monkeypatch):
    site = tmp_path / "a space" / "site-packages"
    # Any library that the loader takes.
    gomp = next(Path(torch.__file__).parent.rglob("lib*.so*"))
    names = ["vllm/libs/libtcmalloc_minimal.so.4", "torch.libs/libgomp-1.so.1"]
    for name in names:
        (site / name).parent.mkdir(parents=True)
        (site / name).symlink_to(gomp)
    spec = SimpleNamespace(origin=str(site / "vllm" / "__init__.py"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec)
    monkeypatch.delenv("LD_PRELOAD", raising=False)
    vllm_engine._preload()
    entries = os.environ["LD_PRELOAD"].split(":")
    assert [Path(entry).name for entry in entries] == [Path(name).name for name in names]
    assert all(" " not in entry and Path(entry).resolve() == gomp.resolve() for entry in entries)
    done = subprocess.run(["true"], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_libraries_elsewhere_are_left_to_vllm(monkeypatch):
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: SimpleNamespace(origin="/a/site/vllm/__init__.py")
    )
    monkeypatch.delenv("LD_PRELOAD", raising=False)
    vllm_engine._preload()
    assert "LD_PRELOAD" not in os.environ
