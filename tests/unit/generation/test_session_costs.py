"""The cost of a precision, from its answers and the engine's lifetimes."""

from quantrag.engines.base import Completion
from quantrag.generation.session_costs import costs_row


def session(**changes):
    values = {
        "generate_s": 10.0,
        "prompt_tokens": 1000,
        "output_tokens": 100,
        "load_s": 5.0,
        "peak_memory_gib": 2.0,
        "energy_wh": 1.5,
        "environment": {"device": "a device"},
        "report": {},
    }
    return values | changes


def row(completions, sessions):
    return costs_row("m", "p", "vllm", "cpu", 2**30, 2048, completions, sessions)


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


def test_memory_is_the_weights_as_loaded_and_the_longest_prompts_cache():
    report = {
        "loaded_weight_bytes": 3 * 2**30,
        "cache_bytes_per_token": 2**19,
        "cache_tokens": 10_000,
    }
    completions = [Completion("a", "", "stop", 10, 0, 3)]
    costs = row(completions, [session(), session(report=report)])
    assert (costs["loaded_gib"], costs["cache_bytes_per_token"]) == (3.0, 2**19)
    assert (costs["cache_tokens"], costs["longest_tokens"]) == (10_000, 2048)
    # 2,048 tokens of half a MiB are a GiB.
    assert costs["memory_gib"] == 4.0


def test_memory_that_the_engine_does_not_know_is_empty():
    for report in ({}, {"loaded_weight_bytes": 10, "cache_bytes_per_token": None}):
        costs = row([Completion("a", "", "stop", 10, 0, 3)], [session(report=report)])
        assert costs["memory_gib"] is None
        assert costs["cache_tokens"] is None
