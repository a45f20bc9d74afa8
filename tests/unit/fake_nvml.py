"""A stand-in for NVML with GPUs of our choice, under a torch that must not be asked about them."""

import sys
from collections.abc import Sequence
from types import SimpleNamespace

import pytest
import torch

GIB = 2**30


def install(
    monkeypatch: pytest.MonkeyPatch, capabilities: Sequence[tuple[int, int]], used: int = 0
) -> SimpleNamespace:
    """Give this process GPUs of these compute capabilities, as a driver would list them.

    Asking torch about them instead fails the test: that would initialise CUDA.

    Args:
        monkeypatch: puts everything back.
        capabilities: of each GPU; their handles are their numbers.
        used: bytes in use on each.
    """
    nvml = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: len(capabilities),
        nvmlDeviceGetHandleByIndex=lambda index: range(len(capabilities))[index],
        nvmlDeviceGetHandleByUUID=lambda name: int(name.removeprefix("GPU-")),
        nvmlDeviceGetCudaComputeCapability=lambda handle: capabilities[handle],
        nvmlDeviceGetName=lambda handle: f"Card {handle}",
        nvmlSystemGetDriverVersion=lambda: "600.1",
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(used=used, free=80 * GIB - used),
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: 0,
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
    for name in ("is_available", "device_count", "get_device_capability", "_lazy_init"):
        monkeypatch.setattr(torch.cuda, name, _refuse)
    return nvml


def none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take all GPUs away, from NVML and from torch."""
    monkeypatch.setitem(sys.modules, "pynvml", None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def _refuse(*args: object, **kwargs: object) -> None:
    raise AssertionError("torch was asked, which initialises CUDA")
