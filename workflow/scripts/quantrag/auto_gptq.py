"""GPTQ by the original AutoGPTQ 0.7.1, with the packages of its time; CUDA alone.

Its successor (`quantrag.quantization`) writes the same format and is the default: this is for who
must repeat what was done in 2024.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from quantrag.checkpoints import read_config
from quantrag.errors import UserError
from quantrag.gptq_format import weight_errors
from quantrag.precisions import check_group_size
from quantrag.quantization_record import describe, keep_tokenizer, write_record

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
            for code of its own, AutoGPTQ doesn't know the architecture or isn't installed, or no
            GPU is seen.
    """
    check_group_size(original, parameters["group_size"])
    if not texts:
        raise UserError("no calibration texts: the train split has no query that may be used.")
    if "auto_map" in read_config(original):
        # AutoGPTQ reads the configuration with trust_remote_code, whatever it is told.
        raise UserError(
            f"{original}: config.json names code that comes with the checkpoint (auto_map), which "
            "AutoGPTQ would run. Remove that key if transformers knows the architecture."
        )
    if not torch.cuda.is_available():
        raise UserError(
            "AutoGPTQ quantizes on CUDA alone, and torch sees no CUDA GPU here. Ask for a GPU "
            "node, or set tool: gptqmodel."
        )
    try:
        from auto_gptq import AutoGPTQForCausalLM, BaseQuantizeConfig
    except ModuleNotFoundError:
        raise UserError(
            "AutoGPTQ is not installed: run Snakemake with --sdm conda, which makes "
            "envs/auto-gptq.yaml."
        ) from None

    parameters = {key: parameters[key] for key in PARAMETERS}
    config = BaseQuantizeConfig(**parameters, model_file_base_name="model")
    try:
        model = AutoGPTQForCausalLM.from_pretrained(
            str(original), config, local_files_only=True, use_safetensors=True
        )
    except TypeError as error:
        if "supported" not in str(error):
            raise
        raise UserError(f"{original}: AutoGPTQ 0.7.1: {error}") from None
    log.info("quantizing with %d texts", len(texts))
    rows = [{"input_ids": list(ids), "attention_mask": [1] * len(ids)} for ids in texts]
    model.quantize(rows, batch_size=1, cache_examples_on_gpu=False)
    model.save_quantized(str(folder), use_safetensors=True)
    del model
    keep_tokenizer(original, folder)
    tools = ("auto-gptq", "torch", "transformers")
    modules = [{**entry, "output_error": None} for entry in weight_errors(original, folder)]
    record = describe(original, folder, texts, "gptq", "gptq", parameters, "cuda", modules, tools)
    write_record(folder, record)
