"""Which GPU would do for a job, from the memory that it needs."""

from collections.abc import Mapping
from typing import Any

from quantrag.engines.sizing import GIB, WORKSPACE_BYTES
from quantrag.quantization.precisions import Precision


def all_rates(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Rates, whether measured or assumed; `on` is what the measured ones were measured on.

    Args:
        facts: content of `config/estimate.yaml`.
    """
    return {**facts["rates"]["assumed"], **facts["rates"]["measured"]}


def usable_memory(
    precision: str, entry: Mapping[str, Any], engine: str, device: str, facts: Mapping[str, Any]
) -> dict[str, float]:
    """GiB that an engine may use of each card that runs a precision, the smallest card first.

    Args:
        precision: its name.
        entry: its entry in the configuration.
        engine: `generation.engine`.
        device: `generation.device`. None is known where a job ran on a CPU: weights and cache have
            other formats there than on a card.
        facts: content of `config/estimate.yaml`.
    """
    if device != "cuda":
        return {}
    support = Precision.of(precision, entry).support(engine, device)
    if support.refusal:
        return {}
    share = all_rates(facts)["memory_share"]
    return {
        name: card["memory_gib"] * share
        for name, card in sorted(facts["gpus"].items(), key=lambda item: item[1]["memory_gib"])
        if support.needs.gpu_refusal(tuple(card["capability"])) is None
    }


def smallest_card(memory_gib: float | None, usable: Mapping[str, float]) -> str | None:
    """The first card on which a job fits beside the engine's workspace; None where none is known.

    Args:
        memory_gib: its weights and the cache of its longest prompt; None where unknown.
        usable: GiB that it may use of each card, the smallest first.
    """
    if memory_gib is None:
        return None
    needed = memory_gib + WORKSPACE_BYTES / GIB
    return next((name for name, gib in usable.items() if gib >= needed), None)
