"""Loading a checkpoint of any precision into `transformers`."""

from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from quantrag.checkpoints.folder import read_config
from quantrag.checkpoints.gptq_format import dense_state
from quantrag.errors import UserError

#: What bitsandbytes does to an original checkpoint while it is loaded, by the precision's method.
ON_LOAD = {"nf4": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}}


def load_model(
    folder: str | Path,
    dtype: str,
    device: str,
    *,
    quantize: str | None = None,
    attention: str = "sdpa",
) -> PreTrainedModel:
    """A model ready to compute, from a checkpoint that was checked before.

    GPTQ layers are unpacked to `dtype`: they multiply by the very weights that the checkpoint
    stands for, in the memory of 16 bits. `transformers` itself reads compressed-tensors.

    Args:
        folder: the checkpoint.
        dtype: of activations and unquantized weights; `auto` takes the checkpoint's.
        device: `cuda` or `cpu`.
        quantize: a key of `ON_LOAD`: what is done to the weights on the way; None leaves them.
        attention: implementation of the attention.

    Raises:
        UserError: `transformers` cannot load it, with its first line of why.
    """
    settings = read_config(Path(folder)).get("quantization_config") or {}
    if settings.get("quant_method") == "gptq":
        return _load_gptq(folder, dtype, device, attention)
    more: dict = {"attn_implementation": attention, "device_map": device}
    if quantize is not None:
        from transformers import BitsAndBytesConfig

        more["quantization_config"] = BitsAndBytesConfig(
            **ON_LOAD[quantize],
            bnb_4bit_compute_dtype=torch.bfloat16 if dtype == "auto" else getattr(torch, dtype),
        )
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, local_files_only=True, use_safetensors=True, **more
        )
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        lines = str(error).strip().splitlines() or ["no message"]
        raise UserError(
            f"transformers could not load {folder}: {type(error).__name__}: {lines[0]}"
        ) from error
    return model.eval()


def _load_gptq(folder: str | Path, dtype: str, device: str, attention: str) -> PreTrainedModel:
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    del config.quantization_config
    kind = config.dtype if dtype == "auto" else getattr(torch, dtype)
    model = AutoModelForCausalLM.from_config(config, dtype=kind, attn_implementation=attention)
    state = {name: tensor.to(kind) for name, tensor in dense_state(folder, kind).items()}
    # AutoGPTQ gives every layer a bias, all zeros where the original has none.
    own = model.state_dict().keys()
    state = {k: v for k, v in state.items() if k in own or not k.endswith(".bias") or v.any()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    # An output head that shares the embedding's weights is not stored.
    missing = [name for name in missing if not (config.tie_word_embeddings and "head" in name)]
    if missing or unexpected:
        names = ", ".join([*missing, *unexpected][:3])
        raise UserError(
            f"{folder}: its tensors are not those of {type(model).__name__} ({names}, ...)."
        )
    model.tie_weights()
    return model.to(device).eval()
