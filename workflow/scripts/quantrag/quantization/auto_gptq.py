"""GPTQ by the original AutoGPTQ 0.7.1, with the packages of its time; only on CUDA.

Its successor (`quantrag.quantization.gptq`) writes the same format and is the default: this is for
who must repeat what was done in 2024.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from quantrag.checkpoints.folder import read_config
from quantrag.checkpoints.gptq_format import weight_errors
from quantrag.checkpoints.model_config import text_config
from quantrag.errors import UserError
from quantrag.quantization.checks import check_group_size, check_texts
from quantrag.quantization.record import describe_checkpoint, keep_tokenizer, write_record

log = logging.getLogger(__name__)

#: The keys of a precision of method `gptq` that AutoGPTQ knows. (It has no `group_aware`.)
PARAMETERS = ("bits", "group_size", "sym", "desc_act", "damp_percent")


def quantize_auto_gptq(
    original: Path,
    folder: Path,
    texts: Sequence[Sequence[int]],
    parameters: Mapping[str, object],
) -> None:
    """Quantize a checkpoint's linear layers with GPTQ, one block after the other, on a GPU.

    The model is loaded to the machine's memory in float16; a block at a time is on the GPU. Beside
    the checkpoint it writes `quantization.json` (see `docs/quantization.md`), without the errors of
    outputs and GPTQ's losses, which AutoGPTQ does not report.

    Args:
        original: the checkpoint to quantize.
        folder: existing folder that receives the quantized one.
        texts: token ids of the calibration texts.
        parameters: the keys `PARAMETERS`, as the config's precision has them.

    Raises:
        UserError: the group size does not divide a layer, there are no texts, the checkpoint asks
            for code of its own or was saved by transformers 5, AutoGPTQ doesn't know the
            architecture or isn't installed, a Hessian cannot be inverted, or no GPU is seen.
    """
    check_group_size(original, parameters["group_size"])
    check_texts(texts)
    config = read_config(original)
    if "rope_parameters" in config or "rope_parameters" in text_config(config):
        # transformers 4 would ignore it and quantize another model than this.
        raise UserError(
            f"{original}: config.json was written by transformers 5, whose rope_parameters "
            "transformers 4 (AutoGPTQ's) does not read. Take the checkpoint as it was published, "
            "or set tool: gptqmodel."
        )
    if "auto_map" in config:
        # AutoGPTQ reads the configuration with trust_remote_code, whatever it is told.
        raise UserError(
            f"{original}: config.json names code that comes with the checkpoint (auto_map), which "
            "AutoGPTQ would run. Remove that key if transformers knows the architecture."
        )
    if not torch.cuda.is_available():
        raise UserError(
            "AutoGPTQ quantizes only on CUDA, and torch sees no CUDA GPU here. Ask for a GPU node, "
            "or set tool: gptqmodel."
        )
    try:
        from auto_gptq import AutoGPTQForCausalLM, BaseQuantizeConfig
    except ModuleNotFoundError:
        raise UserError(
            "AutoGPTQ is not installed: run Snakemake with --sdm conda, which makes "
            "envs/auto-gptq.yaml."
        ) from None

    parameters = {key: parameters[key] for key in PARAMETERS}
    settings = BaseQuantizeConfig(**parameters, model_file_base_name="model")
    try:
        model = AutoGPTQForCausalLM.from_pretrained(
            str(original), settings, local_files_only=True, use_safetensors=True
        )
    except (TypeError, ValueError) as error:
        if "supported" not in str(error) and "recognize" not in str(error):
            raise
        line = str(error).splitlines()[0]
        raise UserError(f"{original}: AutoGPTQ 0.7.1 does not know its model: {line}") from None
    log.info("quantizing with %d texts", len(texts))
    rows = [{"input_ids": list(ids), "attention_mask": [1] * len(ids)} for ids in texts]
    try:
        model.quantize(rows, batch_size=1, cache_examples_on_gpu=False)
    except torch.linalg.LinAlgError:
        raise UserError(
            "GPTQ failed: a layer's Hessian could not be inverted. Use more calibration texts or a "
            "larger damp_percent."
        ) from None
    model.save_quantized(str(folder), use_safetensors=True)
    del model
    _keep_dtype(config, folder)
    keep_tokenizer(original, folder)
    tools = ("auto-gptq", "torch", "transformers")
    modules = [{**entry, "output_error": None} for entry in weight_errors(original, folder)]
    record = describe_checkpoint(
        original, folder, texts, "gptq", "gptq", parameters, "cuda", modules, tools
    )
    write_record(folder, record)


def _keep_dtype(original: Mapping[str, object], folder: Path) -> None:
    """Name the original's number format, which `dtype: auto` follows: AutoGPTQ names float16."""
    path = folder / "config.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["torch_dtype"] = original.get("torch_dtype", original.get("dtype", "float16"))
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
