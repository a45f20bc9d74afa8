"""The check for a GPU, with and without one."""

import sys

import pytest
import torch

import fake_nvml
from quantrag.errors import UserError
from quantrag.runtime.gpu import compute_capability, gpu_handles, require_cuda


def test_a_job_on_the_cpu_does_not_even_import_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    require_cuda("cpu")
    with pytest.raises(ImportError):
        require_cuda("cuda")


def test_a_gpu_is_seen_without_initialising_cuda(monkeypatch):
    fake_nvml.install(monkeypatch, [(9, 0)])
    require_cuda("cuda")
    assert compute_capability() == (9, 0)
    assert not torch.cuda.is_initialized()


def test_the_capability_is_that_of_the_first_visible_gpu(monkeypatch):
    fake_nvml.install(monkeypatch, [(9, 0), (8, 6), (8, 0)])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,1")
    assert compute_capability() == (8, 0)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-1")
    assert compute_capability() == (8, 6)


def test_as_many_gpus_as_are_asked_for(monkeypatch):
    fake_nvml.install(monkeypatch, [(9, 0)] * 3)
    assert (gpu_handles(2), gpu_handles()) == ([0, 1], [0, 1, 2])


@pytest.mark.parametrize("visible", ["", "7"])
def test_a_gpu_that_is_hidden_or_does_not_exist_is_none(monkeypatch, visible):
    fake_nvml.install(monkeypatch, [(9, 0)])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu_handles() == []
    with pytest.raises(UserError, match="sees no CUDA GPU here"):
        require_cuda("cuda")


def test_torch_is_asked_where_nvml_is_hidden(monkeypatch):
    fake_nvml.install(monkeypatch, [])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (8, 9))
    require_cuda("cuda")
    assert compute_capability() == (8, 9)


def test_torch_is_asked_where_nvml_does_not_know_the_capability(monkeypatch):
    class NVMLError(Exception):
        pass

    def unknown(handle):
        raise NVMLError("Not Supported")

    nvml = fake_nvml.install(monkeypatch, [(9, 0)])
    nvml.NVMLError, nvml.nvmlDeviceGetCudaComputeCapability = NVMLError, unknown
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (8, 9))
    assert compute_capability() == (8, 9)


def test_a_cpu_build_of_torch_is_refused_even_beside_a_gpu(monkeypatch):
    fake_nvml.install(monkeypatch, [(9, 0)])
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: False)
    with pytest.raises(UserError, match="a CPU build of torch"):
        require_cuda("cuda")


def test_a_missing_gpu_is_said_with_the_way_out(monkeypatch):
    fake_nvml.none(monkeypatch)
    with pytest.raises(UserError, match=r"sees no CUDA GPU here .* generation\.device: cpu"):
        require_cuda("cuda")
