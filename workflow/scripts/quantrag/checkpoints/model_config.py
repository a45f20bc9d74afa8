"""What a checkpoint's `config.json` says of the model's size, in the spellings that are in use.

Pure functions of the file's content.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from quantrag.errors import UserError

#: Keys for the longest text, as vLLM reads them: most models; GPT-2; MPT; ChatGLM; others.
_LENGTH_KEYS = (
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "seq_length",
    "max_sequence_length",
    "max_seq_length",
    "seq_len",
)
#: RoPE scalings after which `max_position_embeddings` is already the longer length.
_ALREADY_SCALED = {
    *("default", "su", "longrope", "llama3", "yarn", "deepseek_yarn"),
    *("deepseek_llama_scaling", "mrope", "proportional"),
}


def text_config(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The section of the language model in a composite model's config; else all of it."""
    for key in ("text_config", "llm_config", "language_config"):
        if isinstance(config.get(key), Mapping) and config[key]:
            return config[key]
    return config


def context_limit(config: Mapping[str, Any]) -> tuple[int | None, str]:
    """Longest text in tokens, and the key that says so; None where no key does.

    As vLLM computes it: linear and dynamic RoPE scaling multiply the positions by their factor, the
    others have been counted in `max_position_embeddings`. transformers 4 writes the scaling as
    `rope_scaling`, version 5 as `rope_parameters`, there also per kind of layer.

    Raises:
        UserError: a length or a factor is not a number.
    """
    config = text_config(config)
    if config.get("model_max_length"):
        return _integer(config, "model_max_length"), "model_max_length"
    lengths = {key: _integer(config, key) for key in _LENGTH_KEYS if config.get(key) is not None}
    if not lengths:
        return None, ""
    key = min(lengths, key=lengths.__getitem__)
    factor = 1.0
    # Gemma 3's positions are counted with its scaling.
    if "gemma3" not in str(config.get("model_type")):
        for scaling in _rope_scalings(config):
            kind = str(scaling.get("rope_type") or scaling.get("type") or "default")
            if kind not in _ALREADY_SCALED and scaling.get("factor") is not None:
                factor = _number(scaling, "factor")
    if factor == 1.0:
        return lengths[key], key
    return int(lengths[key] * factor), f"{key} {lengths[key]}, scaled by {factor:g}"


def _rope_scalings(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for key in ("rope_scaling", "rope_parameters"):
        stated = config.get(key)
        if not isinstance(stated, Mapping):
            continue
        nested = [value for value in stated.values() if isinstance(value, Mapping)]
        yield from nested or [stated]


def _integer(config: Mapping[str, Any], key: str) -> int:
    return int(_number(config, key))


def _number(config: Mapping[str, Any], key: str) -> float:
    try:
        return float(config[key])
    except (TypeError, ValueError):
        raise UserError(f"config.json: {key} is {config[key]!r}, which is not a number.") from None
