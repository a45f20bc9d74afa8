"""Will it fit? Weights and key-value cache against free memory, before the engine is started."""

from collections.abc import Mapping
from typing import Any

from quantrag.checkpoints.folder import quantization_settings
from quantrag.checkpoints.model_config import text_config
from quantrag.errors import UserError

GIB = 2**30
#: Beside weights and cache: CUDA context, activations and the logits of a prefill step. A rough
#: figure; the engine measures the real one, later and at a higher price.
WORKSPACE_BYTES = GIB
_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2, "fp8": 1}


def kv_bytes_per_token(config: Mapping[str, Any], dtype: str) -> int | None:
    """Bytes of key-value cache that one token takes, over all layers.

    Two vectors (key and value) of `head_dim` per layer and key-value head; for models with sliding
    windows an upper bound.

    Args:
        config: the checkpoint's `config.json`.
        dtype: type of the cache; names that start with `fp8` take a byte.

    Returns:
        None for an architecture whose config doesn't have the usual keys.
    """
    config = text_config(config)
    try:
        heads = config["num_attention_heads"]
        head_dim = config.get("head_dim") or config["hidden_size"] // heads
        kv_heads = config.get("num_key_value_heads") or heads
        layers = config["num_hidden_layers"]
    except KeyError:
        return None
    return 2 * layers * kv_heads * head_dim * _BYTES.get("fp8" if "fp8" in dtype else dtype, 2)


def check_fit(
    config: Mapping[str, Any],
    weight_bytes: int,
    max_model_len: int,
    dtype: str,
    budget_bytes: int,
    tensor_parallel_size: int = 1,
    where: str = "the GPU",
) -> None:
    """Check that weights and the longest prompt's cache fit, each split over the devices.

    Args:
        config: the checkpoint's `config.json`.
        weight_bytes: size of all weights.
        max_model_len: tokens of the longest prompt and its answer.
        dtype: type of the key-value cache.
        budget_bytes: memory that one device may use.
        tensor_parallel_size: devices that share the model.
        where: what the budget is of, for the message.

    Raises:
        UserError: it doesn't fit; says what would.
    """
    per_token = kv_bytes_per_token(config, dtype)
    if per_token is None:
        return

    def needed(devices: int) -> float:
        return (weight_bytes + per_token * max_model_len) / devices + WORKSPACE_BYTES

    if needed(tensor_parallel_size) <= budget_bytes:
        return
    ways = []
    spare = (budget_bytes - WORKSPACE_BYTES) * tensor_parallel_size - weight_bytes
    if spare > 0:
        ways.append(f"a max_model_len of at most {int(spare // per_token)} (fewer documents)")
    heads = text_config(config)["num_attention_heads"]
    more = [n for n in range(tensor_parallel_size + 1, heads + 1) if heads % n == 0]
    devices = next((n for n in more if needed(n) <= budget_bytes), None)
    if devices:
        ways.append(f"a tensor_parallel_size of {devices}")
    for bits, factor in (("8", 0.5), ("4", 0.3)):
        smaller = (weight_bytes * factor + per_token * max_model_len) / tensor_parallel_size
        if smaller + WORKSPACE_BYTES <= budget_bytes and _bits_per_weight(config) > int(bits):
            ways.append(f"a precision of {bits} bits")
            break
    raise UserError(
        f"The model does not fit into {where}: {weight_bytes / GIB:.1f} GiB of weights and "
        f"{per_token * max_model_len / GIB:.1f} GiB of key-value cache for {max_model_len} tokens "
        f"need {needed(tensor_parallel_size) / GIB:.1f} GiB a device"
        f"{f' over {tensor_parallel_size} devices' if tensor_parallel_size > 1 else ''}, "
        f"{budget_bytes / GIB:.1f} GiB can be used. "
        f"What would fit: {', or '.join(ways) or 'a smaller model or a larger device'}."
    )


def _bits_per_weight(config: Mapping[str, Any]) -> int:
    quantization = quantization_settings(config)
    return int(quantization.get("bits") or 8) if quantization else 16
