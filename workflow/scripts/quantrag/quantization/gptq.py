"""GPTQ by GPTQModel: an original checkpoint and calibration texts in, a quantized one out."""

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from gptqmodel import GPTQModel
from gptqmodel.quantization.config import GPTQConfig

from quantrag.checkpoints.folder import read_config, weight_bytes
from quantrag.checkpoints.gptq_format import (
    Tensors,
    module_weight,
    quantized_modules,
    weight_errors,
)
from quantrag.checkpoints.loading import load_model
from quantrag.errors import UserError
from quantrag.quantization.checks import check_group_size, check_texts
from quantrag.quantization.output_errors import relative_output_errors
from quantrag.quantization.record import describe_checkpoint, keep_tokenizer, write_record
from quantrag.runtime.gpu import require_cuda

log = logging.getLogger(__name__)

#: Above this size of weights, finished layers wait on disk instead of in memory.
_IN_MEMORY = 4 * 2**30
# What GPTQModel reports as the loss of a layer whose Hessian could not be inverted.
_FAILED_LOSS = 999_999_999


def quantize_gptq(
    original: Path,
    folder: Path,
    texts: Sequence[Sequence[int]],
    parameters: Mapping[str, object],
    device: str,
) -> None:
    """Quantize a checkpoint's linear layers with GPTQ, one block after the other.

    Beside the checkpoint in AutoGPTQ's format it writes `quantization.json` (see
    `docs/quantization.md`).

    Args:
        original: the checkpoint to quantize.
        folder: existing folder that receives the quantized one.
        texts: token ids of the calibration texts.
        parameters: bits, group_size, sym, desc_act, group_aware and damp_percent, as the config's
            precision has them.
        device: `cuda` or `cpu`.

    Raises:
        UserError: the group size does not divide a layer, there are no texts, no GPU is seen where
            one is asked for, or a layer's Hessian cannot be inverted.
    """
    check_group_size(original, parameters["group_size"])
    parameters = dict(parameters)
    if parameters["desc_act"] or parameters["group_size"] == -1:
        parameters["group_aware"] = False
    check_texts(texts)
    require_cuda(device)
    offload = folder / "offload"
    model = GPTQModel.load(
        str(original),
        GPTQConfig(
            bits=parameters["bits"],
            group_size=parameters["group_size"],
            sym=parameters["sym"],
            desc_act=parameters["desc_act"],
            act_group_aware=parameters["group_aware"],
            damp_percent=parameters["damp_percent"],
            offload_to_disk=weight_bytes(original) > _IN_MEMORY,
            offload_to_disk_path=str(offload),
        ),
        device=device,
        trust_remote_code=False,
    )
    log.info("quantizing on %s with %d texts", device, len(texts))
    rows = [{"input_ids": list(ids), "attention_mask": [1] * len(ids)} for ids in texts]
    steps = model.quantize(rows, batch_size=1, calibration_data_min_length=1)
    model.save(str(folder))
    shutil.rmtree(offload, ignore_errors=True)
    _tidy(original, folder)
    _check_losses(steps)
    del model
    tools = ("gptqmodel", "torch", "transformers")
    modules = _modules(original, folder, texts, device, steps)
    record = describe_checkpoint(
        original, folder, texts, "gptq", "gptq", parameters, device, modules, tools
    )
    write_record(folder, record)


def _tidy(original: Path, folder: Path) -> None:
    """Leave the files that equal work gives equally, with the original's own tokenizer.

    GPTQModel sets a padding token where there is none, and notes times and temporary paths.
    """
    (folder / "quant_log.csv").unlink(missing_ok=True)
    keep_tokenizer(original, folder)
    for name in ("config.json", "quantize_config.json"):
        path = folder / name
        content = json.loads(path.read_text(encoding="utf-8"))
        settings = content.get("quantization_config", content)
        for key in ("offload_to_disk", "offload_to_disk_path", "telemetry"):
            settings["meta"].pop(key, None)
        path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _check_losses(steps: Mapping[str, list[Mapping[str, str]]]) -> None:
    for step in steps["gptq"]:
        if _is_rounded(step):
            log.warning("layer %(layer)s %(module)s: too few samples, rounded instead", step)
        elif float(step["loss"]) >= _FAILED_LOSS:
            raise UserError(
                f"GPTQ failed at layer {step['layer']}, {step['module']}: its Hessian could not be "
                "inverted. Use more calibration texts or a larger damp_percent."
            )


def _is_rounded(step: Mapping[str, str]) -> bool:
    """Whether too few calibration tokens reached the layer, so that GPTQModel only rounded it."""
    return "fallback" in str(step["loss"])


def _modules(
    original: Path,
    folder: Path,
    texts: Sequence[Sequence[int]],
    device: str,
    steps: Mapping[str, list[Mapping[str, str]]],
) -> list[dict]:
    """Entries of `quantization.json` for the layers."""
    modules = weight_errors(original, folder)
    by_name = {(str(step["layer"]), step["module"]): step for step in steps["gptq"]}
    output_errors = _output_errors(original, folder, texts, device)
    for entry in modules:
        step = _step_of(entry["module"], by_name)
        solved = step is not None and not _is_rounded(step)
        entry["output_error"] = output_errors.get(entry["module"])
        entry["gptq_loss"] = float(step["loss"]) if solved else None
        entry["damp_percent"] = float(step["damp"]) if solved else None
        entry["rounded"] = step is not None and _is_rounded(step)
    return modules


def _output_errors(
    original: Path, folder: Path, texts: Sequence[Sequence[int]], device: str
) -> dict[str, float]:
    reference = load_model(original, "auto", device)
    layers = dict(reference.named_modules())
    settings = read_config(folder)["quantization_config"]
    with Tensors(folder) as stored:

        def outputs(name: str):
            def compute(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
                quantized = module_weight(stored, name, settings).to(x.device)
                linear = torch.nn.functional.linear
                return linear(x.float(), layers[name].weight.float()), linear(x.float(), quantized)

            return compute

        # Architectures with fused layers have other names in the original: nothing to compare with.
        names = [name for name in quantized_modules(folder) if name in layers]
        return relative_output_errors(reference, {name: outputs(name) for name in names}, texts)


def _step_of(module: str, steps: Mapping[tuple[str, str], Mapping]) -> Mapping | None:
    """GPTQModel's report on `model.layers.3.mlp.up_proj` is filed under ("3", "mlp.up_proj")."""
    return next(
        (step for (layer, name), step in steps.items() if module.endswith(f".{layer}.{name}")),
        None,
    )
