"""Loading a checkpoint of any precision into `transformers`."""

from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig, PreTrainedModel

from quantrag.checkpoints.folder import quantization_settings, read_config
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

    How to generate is not the checkpoint's business: its `generation_config.json`, and such
    settings in its `config.json`, are not read, because each precision's may say something else.

    Args:
        folder: the checkpoint.
        dtype: of activations and unquantized weights; `auto` takes the checkpoint's.
        device: `cuda` or `cpu`.
        quantize: a key of `ON_LOAD`: what is done to the weights on the way; None leaves them.
        attention: implementation of the attention.

    Raises:
        UserError: `transformers` cannot load it, with its first line of why; or it lacks weights of
            the model, which would be drawn at random.
    """
    settings = quantization_settings(read_config(Path(folder)))
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
        model, found = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            generation_config=GenerationConfig(),
            output_loading_info=True,
            **more,
        )
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        lines = str(error).strip().splitlines() or ["no message"]
        raise UserError(
            f"transformers could not load {folder}: {type(error).__name__}: {lines[0]}"
        ) from error
    # A quantizer's own tensors have other names than the model's.
    if found["missing_keys"] and not settings:
        missing = sorted(found["missing_keys"])
        raise UserError(
            f"{folder}: the checkpoint lacks {len(missing)} weights of {type(model).__name__}, "
            f"e.g. {missing[0]}."
        )
    model.generation_config = GenerationConfig()
    return model.eval()


def _load_gptq(folder: str | Path, dtype: str, device: str, attention: str) -> PreTrainedModel:
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    del config.quantization_config
    kind = config.dtype if dtype == "auto" else getattr(torch, dtype)
    # Its class and the names of its tensors; nothing is allocated or drawn at random.
    with torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(config, dtype=kind)
    state = dense_state(folder, kind)
    # AutoGPTQ gives every layer a bias, all zeros where the original has none.
    own = empty.state_dict().keys()
    state = {k: v for k, v in state.items() if k in own or not k.endswith(".bias") or v.any()}
    model, found = type(empty).from_pretrained(
        None,
        config=empty.config,
        state_dict=state,
        dtype=kind,
        attn_implementation=attention,
        generation_config=GenerationConfig(),
        output_loading_info=True,
        ignore_mismatched_sizes=True,
        device_map=device,
    )
    wrong = [*found["missing_keys"], *found["unexpected_keys"]]
    # Each with its two shapes.
    wrong += [name for name, *_ in found["mismatched_keys"]]
    if wrong:
        names = ", ".join(sorted(wrong)[:3])
        raise UserError(
            f"{folder}: its tensors are not those of {type(model).__name__} ({names}, ...)."
        )
    model.generation_config = GenerationConfig()
    return model.eval()
