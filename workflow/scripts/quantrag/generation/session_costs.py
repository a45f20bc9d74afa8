"""The cost of one precision, from its completions and the engine sessions that made them."""

from collections.abc import Mapping, Sequence
from typing import Any

from quantrag.engines.base import Completion

GIB = 2**30


def costs_row(
    model: str,
    precision: str,
    engine: str,
    device: str,
    weight_bytes: int,
    longest_tokens: int,
    completions: Sequence[Completion],
    sessions: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """One row of `costs.csv`, as a dict.

    Token counts are over the distinct prompts of the grid. Rates and energy are over the sessions,
    which include prompts that have since left the grid: tokens per second of generation (loading
    left out), prompt and output tokens over the same time, since an engine works on both at once.

    Args:
        model: name of the model.
        precision: name of the precision.
        engine: name of the engine.
        device: `cuda` or `cpu`, in place of its name where no session is known.
        weight_bytes: size of the weights on disk.
        longest_tokens: of the grid's longest prompt with what follows it.
        completions: the answers to the grid's distinct prompts.
        sessions: the engine's lifetimes, as the journal has them.

    Returns:
        `model`, `precision`, `engine`, `device`, `weights_gib` (on disk); of the latest session
        `loaded_gib` (weights as they lie in memory), `cache_bytes_per_token`, `cache_tokens` (that
        fit into the memory which the engine was given) and `load_s`; `longest_tokens`;
        `memory_gib` (weights as loaded, and the cache of the longest prompt); `peak_memory_gib`,
        `prompt_tokens`, `cached_tokens`, `output_tokens`, `prompt_tokens_per_s`,
        `output_tokens_per_s`, `energy_wh`. None stands for what nobody measured.
    """
    # One that only scored continuations says nothing about the speed of answers.
    answering = [session for session in sessions if session["prompt_tokens"]]
    seconds = sum(session["generate_s"] for session in answering)

    def rate(name: str) -> float | None:
        return sum(session[name] for session in answering) / seconds if seconds else None

    energies = [session["energy_wh"] for session in sessions]
    peaks = [s["peak_memory_gib"] for s in sessions if s["peak_memory_gib"] is not None]
    report = sessions[-1]["report"] if sessions else {}
    loaded, per_token = report.get("loaded_weight_bytes"), report.get("cache_bytes_per_token")
    needed = loaded + per_token * longest_tokens if loaded and per_token else None
    cached = [completion.cached_tokens for completion in completions]
    return {
        "model": model,
        "precision": precision,
        "engine": engine,
        "device": sessions[-1]["environment"]["device"] if sessions else device,
        "weights_gib": weight_bytes / GIB,
        "loaded_gib": loaded and loaded / GIB,
        "cache_bytes_per_token": per_token,
        "cache_tokens": report.get("cache_tokens"),
        "longest_tokens": longest_tokens,
        "memory_gib": needed and needed / GIB,
        "peak_memory_gib": max(peaks) if peaks else None,
        "load_s": sessions[-1]["load_s"] if sessions else None,
        "prompt_tokens": sum(completion.prompt_tokens for completion in completions),
        "cached_tokens": None if None in cached else sum(cached),
        "output_tokens": sum(completion.output_tokens for completion in completions),
        "prompt_tokens_per_s": rate("prompt_tokens"),
        "output_tokens_per_s": rate("output_tokens"),
        "energy_wh": None if None in energies or not energies else sum(energies),
    }
