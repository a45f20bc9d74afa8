"""The environment that vLLM is imported into."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from generation_samples import tiny_checkpoint
from quantrag.engines import vllm_environment
from vllm_samples import of_process, vllm_spec


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "checkpoint")


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
    vllm_environment._preload()
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
    vllm_environment._preload()
    assert "LD_PRELOAD" not in os.environ
