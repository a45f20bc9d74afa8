"""What an engine's device lacks is said where the job runs."""

from dataclasses import replace

import pytest

import fake_nvml
from generation_samples import fake_checkpoint, make_spec
from quantrag.engines.device import check_device
from quantrag.errors import UserError
from quantrag.quantization.hardware import Hardware

NEEDS = Hardware((8, 9), "FP8 tensor cores", avx512=True)


@pytest.fixture
def spec(tmp_path):
    return replace(make_spec(fake_checkpoint(tmp_path)), needs=NEEDS)


@pytest.mark.parametrize(("has", "refused"), [((8, 0), True), ((8, 9), False), ((9, 0), False)])
def test_a_gpu_is_asked_for_its_compute_capability(spec, monkeypatch, has, refused):
    fake_nvml.install(monkeypatch, [has])
    spec = replace(spec, device="cuda")
    if not refused:
        return check_device(spec)
    with pytest.raises(UserError) as caught:
        check_device(spec)
    message = "compute capability 8.9 is needed (FP8 tensor cores), this GPU has 8.0."
    assert str(caught.value) == f"precision fp32: {message}"


@pytest.mark.parametrize(
    ("flags", "refused"), [({"avx2"}, True), ({"avx2", "avx512f"}, False), (set(), False)]
)
def test_a_cpu_is_asked_for_its_instructions(spec, monkeypatch, flags, refused):
    monkeypatch.setattr("quantrag.engines.device.flags", lambda: frozenset(flags))
    if not refused:
        return check_device(spec)
    with pytest.raises(UserError, match="needs a CPU with AVX-512, which this machine's lacks"):
        check_device(spec)


def test_no_gpu_is_one_clear_error(spec, monkeypatch):
    fake_nvml.none(monkeypatch)
    with pytest.raises(UserError, match=r"generation\.device is cuda, but torch sees no CUDA GPU"):
        check_device(replace(spec, device="cuda"))
