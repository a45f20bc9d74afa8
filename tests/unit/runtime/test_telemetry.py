"""Costs are measured where they can be, and empty, not zero, where they can't."""

import time

import pytest

from quantrag.engines.base import Completion
from quantrag.generation.session_costs import costs_row
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
    monkeypatch.setattr(telemetry, "_gpu_handles", lambda devices: [])
    meter = telemetry.Meter("cuda")
    meter.stop()
    assert meter.reading() == {"peak_memory_gib": None, "energy_wh": None}
    assert telemetry.gpu_description() is None
    assert telemetry.free_memory_bytes("cuda") is None


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


def session(**changes):
    values = {
        "generate_s": 10.0,
        "prompt_tokens": 1000,
        "output_tokens": 100,
        "load_s": 5.0,
        "peak_memory_gib": 2.0,
        "energy_wh": 1.5,
        "environment": {"device": "a device"},
    }
    return values | changes


def row(completions, sessions):
    return costs_row("m", "p", "vllm", "cpu", 2**30, completions, sessions)


def test_costs_are_over_sessions_and_tokens_over_completions():
    completions = [Completion("a", "", "stop", 10, 4, 3), Completion("b", "", "stop", 20, 0, 5)]
    sessions = [session(), session(generate_s=30.0, load_s=7.0, peak_memory_gib=3.0)]
    costs = row(completions, sessions)
    assert (costs["prompt_tokens"], costs["cached_tokens"], costs["output_tokens"]) == (30, 4, 8)
    assert costs["prompt_tokens_per_s"] == 50
    assert costs["output_tokens_per_s"] == 5
    assert (costs["load_s"], costs["peak_memory_gib"], costs["energy_wh"]) == (7.0, 3.0, 3.0)
    assert (costs["weights_gib"], costs["device"]) == (1.0, "a device")


def test_what_one_session_did_not_measure_is_unknown():
    completions = [Completion("a", "", "stop", 10, None, 3)]
    costs = row(completions, [session(energy_wh=None, peak_memory_gib=None), session()])
    assert costs["energy_wh"] is None
    assert costs["cached_tokens"] is None
    assert costs["peak_memory_gib"] == 2.0


def test_without_a_session_rates_are_unknown():
    costs = row([Completion("a", "", "stop", 10, 0, 3)], [])
    assert costs["prompt_tokens_per_s"] is None
    assert costs["load_s"] is None
    assert costs["device"] == "cpu"
