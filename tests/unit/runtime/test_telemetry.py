"""Costs are measured where they can be, and empty, not zero, where they can't."""

import time

import pytest

import fake_nvml
from quantrag.runtime import telemetry


def test_memory_of_this_process_is_seen(monkeypatch, tmp_path):
    monkeypatch.setattr(telemetry, "_INTERVAL", 0.01)
    monkeypatch.setattr(telemetry, "_RAPL", tmp_path)
    meter = telemetry.Meter("cpu")
    time.sleep(0.1)
    meter.stop()
    reading = meter.reading()
    assert 0.02 < reading["peak_memory_gib"] < 100
    assert reading["energy_wh"] is None


def test_a_missing_gpu_gives_nothing_not_zero(monkeypatch):
    monkeypatch.setattr(telemetry, "gpu_handles", lambda devices: [])
    meter = telemetry.Meter("cuda")
    meter.stop()
    assert meter.reading() == {"peak_memory_gib": None, "energy_wh": None}
    assert telemetry.gpu_description() is None
    assert telemetry.free_memory_bytes("cuda") is None


def test_a_gpu_is_described_and_its_free_memory_known(monkeypatch):
    fake_nvml.install(monkeypatch, [(9, 0), (9, 0)], used=3 * fake_nvml.GIB)
    assert telemetry.gpu_description() == {"name": "Card 0", "driver": "600.1"}
    assert telemetry.free_memory_bytes("cuda") == 77 * fake_nvml.GIB


def test_memory_that_nvml_does_not_see_grow_is_empty_not_zero(monkeypatch):
    fake_nvml.install(monkeypatch, [(9, 0)], used=fake_nvml.GIB)
    meter = telemetry.Meter("cuda")
    meter.stop()
    assert meter.reading() == {"peak_memory_gib": None, "energy_wh": 0.0}


def fake_rapl(folder, name, energy, limit=1_000_000_000):
    package = folder / name
    package.mkdir(exist_ok=True)
    (package / "energy_uj").write_text(str(energy))
    (package / "max_energy_range_uj").write_text(str(limit))


def test_energy_adds_packages_and_survives_an_overflow(monkeypatch, tmp_path):
    monkeypatch.setattr(telemetry, "_RAPL", tmp_path)
    fake_rapl(tmp_path, "intel-rapl:0", 999_000_000)
    fake_rapl(tmp_path, "intel-rapl:1", 0)
    fake_rapl(tmp_path, "intel-rapl:0:0", 0)  # a sub-zone: counted in its package already
    counters = telemetry._EnergyCounters(None)
    fake_rapl(tmp_path, "intel-rapl:0", 2_000_000)
    fake_rapl(tmp_path, "intel-rapl:1", 597_000_000)
    fake_rapl(tmp_path, "intel-rapl:0:0", 500_000_000)
    counters.update()
    assert counters.watt_hours() == pytest.approx((3 + 597) / 3600)


def test_energy_that_stops_being_readable_is_unknown(monkeypatch, tmp_path):
    monkeypatch.setattr(telemetry, "_RAPL", tmp_path)
    fake_rapl(tmp_path, "intel-rapl:0", 5)
    counters = telemetry._EnergyCounters(None)
    (tmp_path / "intel-rapl:0" / "energy_uj").unlink()
    counters.update()
    assert counters.watt_hours() is None


def test_progress_is_lines_and_few(capfd):
    bar = telemetry.progress(1000)
    for _ in range(1000):
        bar.set_postfix_str("10 prompt tokens/s", refresh=False)
        bar.update()
    bar.close()
    lines = capfd.readouterr().err.splitlines()
    assert 1 <= len(lines) <= 3
    assert "1000/1000" in lines[-1]
    assert "\r" not in "".join(lines)
