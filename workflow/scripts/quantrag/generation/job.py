"""One generation job: what it runs, and what of that decides an answer."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from quantrag.checkpoints.folder import fingerprint
from quantrag.engines.base import Sampling
from quantrag.engines.select import (
    FIRST_TOKEN_CANDIDATES,
    WITHOUT_EFFECT_ON_ANSWERS,
    engine_version,
)
from quantrag.errors import UserError
from quantrag.runtime.provenance import content_hash


@dataclass(frozen=True)
class GenerationJob:
    """One job: a model at one precision, over all cells of the grid.

    Attributes:
        model: name of the model in the config.
        precision: name of the precision in the config (`noise-floor` for the second pass).
        served_precision: the precision whose checkpoint is used; differs for the noise floor.
        checkpoint: folder of the weights.
        original: folder of the model's original checkpoint: its tokenizer and its stop tokens
            serve every precision.
        dtype: see `EngineSpec.dtype`.
        kv_cache_dtype: see `EngineSpec.kv_cache_dtype`.
        settings: the section `generation` of the config.
        shuffle_seed: None for the order that suits the engine; a seed for a random order.
        threads: CPU threads.
        source: where the checkpoint came from (repository and revision, quantization), for the
            record.
        method: see `EngineSpec.method`.
        capability: see `EngineSpec.capability`.
    """

    model: str
    precision: str
    served_precision: str
    checkpoint: Path
    original: Path
    dtype: str
    kv_cache_dtype: str
    settings: Mapping[str, Any]
    shuffle_seed: int | None
    threads: int
    source: Mapping[str, Any]
    method: str = "none"
    capability: tuple[int, int, str] | None = None


def job_identity(job: GenerationJob) -> dict[str, Any]:
    """All that decides an answer, beside the prompt; hashed into the journal's keys."""
    name = job.settings["engine"]
    options = dict(job.settings[name])
    for option in WITHOUT_EFFECT_ON_ANSWERS[name]:
        options.pop(option, None)
    # Quantized while it is loaded: the checkpoint alone doesn't say so.
    loaded_as = {"method": job.method} if job.method == "nf4" else {}
    return {
        **loaded_as,
        "checkpoint": fingerprint(job.checkpoint),
        "dtype": job.dtype,
        "kv_cache_dtype": job.kv_cache_dtype,
        "engine": name,
        "engine_version": engine_version(name),
        "device": job.settings["device"],
        "options": options,
        "sampling": asdict(sampling_of(job)),
    }


def comparable_settings(identity: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an identity that must be the same for all precisions of a model."""
    varies = {"checkpoint", "dtype", "kv_cache_dtype", "method"}
    return {name: value for name, value in identity.items() if name not in varies}


def completion_keys(base: str, prompt_hashes: Sequence[str]) -> list[str]:
    """The journal's key of each prompt: a hash of the job's identity and the prompt's tokens."""
    return [content_hash([base, prompt_hash]) for prompt_hash in prompt_hashes]


def sampling_of(job: GenerationJob) -> Sampling:
    """How to decode, with the stop tokens of the model's original checkpoint.

    Raises:
        UserError: neither `generation_config.json` nor `config.json` names an ending token.
    """
    ids: set[int] = set()
    for name in ("generation_config.json", "config.json"):
        path = job.original / name
        if path.is_file():
            value = json.loads(path.read_text(encoding="utf-8")).get("eos_token_id")
            ids.update([value] if isinstance(value, int) else value or [])
    if not ids:
        raise UserError(
            f"{job.original}: neither generation_config.json nor config.json has an eos_token_id, "
            "so answers would never end."
        )
    candidates = job.settings["first_token_candidates"]
    if candidates is None:
        candidates = FIRST_TOKEN_CANDIDATES[job.settings["engine"]]
    return Sampling(job.settings["max_new_tokens"], candidates, tuple(sorted(ids)))
