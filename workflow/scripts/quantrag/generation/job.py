"""One generation job: what it runs, and what of that decides an answer."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from quantrag.checkpoints.folder import fingerprint
from quantrag.checkpoints.number_formats import computation_dtype
from quantrag.checkpoints.stop_tokens import stop_token_ids
from quantrag.engines.base import EngineSpec, Sampling
from quantrag.engines.registry import ENGINES
from quantrag.runtime.provenance import content_hash


@dataclass(frozen=True)
class GenerationJob:
    """One job: a model at one precision, over all cells of the grid.

    Attributes:
        spec: the engine to start, and what it loads.
        precision: name of the precision, `noise-floor` for the second pass of the baseline; the
            one whose checkpoint is loaded is `spec.precision`.
        shuffle_seed: None for the order that suits the engine; a seed for a random order.
        source: where the checkpoint came from (repository and revision, quantization), for the
            record.
        likelihood: `none`; `gold` scores the continuations of the prompts (the golds or all allowed
            answers); `gold+baseline` also the baseline's answers.
    """

    spec: EngineSpec
    precision: str
    shuffle_seed: int | None
    source: Mapping[str, Any]
    likelihood: str = "none"


def engine_spec(
    settings: Mapping[str, Any], original: Path, *, dtype: str, **rest: Any
) -> EngineSpec:
    """What an engine needs to start, where it starts: this machine decides what `auto` means.

    Args:
        settings: the section `generation` of the config.
        original: folder of the model's original checkpoint.
        dtype: the precision's entry in the config.
        rest: the other fields of `EngineSpec`.

    Raises:
        UserError: no file of the original checkpoint names an ending token.
    """
    engine = ENGINES[settings["engine"]]
    if engine.local:
        dtype = computation_dtype(dtype, original, settings["device"])
    return EngineSpec(
        engine=engine.name,
        original=original,
        dtype=dtype,
        device=settings["device"],
        # With the stop tokens of the model's original checkpoint.
        sampling=Sampling(settings["max_new_tokens"], stop_token_ids(original)),
        options=settings[engine.name],
        **rest,
    )


def job_identity(spec: EngineSpec) -> dict[str, Any]:
    """All that decides an answer, beside the prompt; hashed into the journal's keys."""
    engine = ENGINES[spec.engine]
    # Quantized while it is loaded: the checkpoint by itself doesn't say so.
    loaded_as = {"method": spec.quantize_on_load} if spec.quantize_on_load else {}
    return {
        **loaded_as,
        "checkpoint": fingerprint(spec.checkpoint),
        "dtype": spec.dtype,
        "kv_cache_dtype": spec.kv_cache_dtype,
        "engine": engine.name,
        "engine_version": engine.version(),
        "device": spec.device,
        "options": engine.deciding(spec.options),
        "sampling": asdict(spec.sampling),
    }


def comparable_settings(identity: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an identity that must be the same for all precisions of a model."""
    varies = {"checkpoint", "dtype", "kv_cache_dtype", "method"}
    return {name: value for name, value in identity.items() if name not in varies}


def completion_keys(base: str, prompt_hashes: Sequence[str]) -> list[str]:
    """The journal's key of each prompt: a hash of the job's identity and the prompt's tokens."""
    return [content_hash([base, prompt_hash]) for prompt_hash in prompt_hashes]


def continuation_key(base: str, prompt_hash: str, token_ids: Sequence[int]) -> str:
    """The journal's key of a continuation's likelihood after a prompt."""
    return content_hash([base, prompt_hash, [int(token) for token in token_ids]])
