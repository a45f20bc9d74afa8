"""The check for a GPU, with and without one."""

import sys

import pytest
import torch

from quantrag.errors import UserError
from quantrag.runtime.gpu import compute_capability, require_cuda


def test_a_job_on_the_cpu_does_not_even_import_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    require_cuda("cpu")
    with pytest.raises(ImportError):
        require_cuda("cuda")


def test_a_gpu_that_torch_sees_is_enough(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    require_cuda("cuda")


def test_a_missing_gpu_is_said_with_the_way_out(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"sees no CUDA GPU here .* generation\.device: cpu"):
        require_cuda("cuda")


def test_the_capability_is_that_of_the_first_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (9, 0))
    assert compute_capability() == (9, 0)
