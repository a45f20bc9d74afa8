"""AWQ, INT8 W8A8 and dynamic FP8 by llm-compressor, in the format compressed-tensors.

Runs in an environment of its own, since llm-compressor and vLLM's CPU build ask for different
versions of compressed-tensors: `python -m quantrag.quantization.llm_compressor REQUEST`, with a
JSON file.
"""

import json
import logging
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from compressed_tensors.quantization import (
    QuantizationArgs,
    QuantizationScheme,
    disable_quantization,
    forward_quantize,
)
from llmcompressor import oneshot
from llmcompressor.modifiers.quantization import QuantizationModifier
from llmcompressor.modifiers.transform.awq import AWQModifier
from llmcompressor.modifiers.transform.smoothquant import SmoothQuantModifier
from llmcompressor.pipelines.cache import IntermediatesCache
from torch.utils.data import DataLoader
from transformers import AutoModelForCausalLM

from quantrag.checkpoints.folder import new_checkpoint
from quantrag.errors import UserError
from quantrag.quantization.checks import check_group_size, check_texts
from quantrag.quantization.output_errors import relative_output_errors
from quantrag.quantization.record import describe_checkpoint, keep_tokenizer, write_record
from quantrag.runtime.gpu import require_cuda

log = logging.getLogger(__name__)


def quantize(
    original: Path,
    folder: Path,
    texts: Sequence[Sequence[int]],
    method: str,
    parameters: Mapping[str, object],
    device: str,
) -> None:
    """Quantize a checkpoint's linear layers; the output head and embeddings stay as they are.

    Beside the checkpoint it writes `quantization.json` (see `docs/quantization.md`).

    Args:
        original: the checkpoint to quantize.
        folder: existing folder that receives the quantized one.
        texts: token ids of the calibration texts.
        method: `awq`, `w8a8` or `fp8`.
        parameters: what the config's precision says of the method.
        device: `cuda` or `cpu`.

    Raises:
        UserError: the group size does not divide a layer, there are no texts, or no GPU is seen
            where one is asked for.
    """
    if method == "awq":
        check_group_size(original, parameters["group_size"])
    check_texts(texts)
    require_cuda(device)
    if not torch.accelerator.is_available():
        # AWQ pins the memory of what it keeps, which fails where there is nothing to copy it to.
        IntermediatesCache.pin_memory = lambda *_: None
    model = AutoModelForCausalLM.from_pretrained(
        original, dtype="auto", local_files_only=True, use_safetensors=True, device_map=device
    )
    log.info("%s on %s with %d texts", method, device, len(texts))
    rows = [{"input_ids": torch.tensor([list(ids)])} for ids in texts]
    recipe, reads_texts = _recipe(method, parameters)
    data = DataLoader(rows, batch_size=None) if reads_texts else None
    oneshot(model=model, recipe=recipe, dataset=data, tokenizer=str(original))
    modules = _layer_errors(model, texts)
    model.save_pretrained(folder, save_compressed=True)
    (folder / "recipe.yaml").unlink(missing_ok=True)
    keep_tokenizer(original, folder)
    tools = ("llmcompressor", "compressed-tensors", "torch", "transformers")
    record = describe_checkpoint(
        original, folder, texts, method, "compressed-tensors", parameters, device, modules, tools
    )
    write_record(folder, record)


def _recipe(method: str, parameters: Mapping[str, object]) -> tuple[list, bool]:
    """The modifiers, and whether they look at the calibration texts."""
    if method == "awq":
        weights = QuantizationArgs(
            num_bits=4,
            type="int",
            symmetric=parameters["sym"],
            strategy="group",
            group_size=parameters["group_size"],
        )
        scheme = QuantizationScheme(targets=["Linear"], weights=weights)
        rounding = QuantizationModifier(config_groups={"group_0": scheme}, ignore=["lm_head"])
        return [AWQModifier(n_grid=parameters["grid"]), rounding], True
    name = {"w8a8": "W8A8", "fp8": "FP8_DYNAMIC"}[method]
    rounding = QuantizationModifier(targets="Linear", scheme=name, ignore=["lm_head"])
    strength = parameters.get("smoothing_strength")
    if strength is None:
        return [rounding], False
    return [SmoothQuantModifier(smoothing_strength=strength), rounding], True


def _layer_errors(model: torch.nn.Module, texts: Sequence[Sequence[int]]) -> list[dict]:
    """Entries of `quantization.json` for the layers of a model that is not compressed yet.

    AWQ and SmoothQuant scale a layer's weights up and its inputs down before they round: errors
    are relative to the scaled weights, whose exact products are the original's.
    """
    layers = {n: m for n, m in model.named_modules() if hasattr(m, "quantization_scheme")}

    def outputs(layer: torch.nn.Module):
        scheme, exact = layer.quantization_scheme, layer.weight
        rounded = forward_quantize(layer, exact, "weight", scheme.weights)

        def compute(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            arguments = scheme.input_activations
            seen = x if arguments is None else forward_quantize(layer, x, "input", arguments)
            linear = torch.nn.functional.linear
            return linear(x.float(), exact.float()), linear(seen.float(), rounded.float())

        return compute

    with torch.no_grad():
        model.apply(disable_quantization)
        by_name = {name: _late(outputs, layer) for name, layer in layers.items()}
        output_errors = relative_output_errors(model, by_name, texts)
        entries = []
        for name, layer in layers.items():
            exact = layer.weight.float()
            arguments = layer.quantization_scheme.weights
            rounded = forward_quantize(layer, layer.weight, "weight", arguments).float()
            entries.append(
                {
                    "module": name,
                    "shape": list(exact.shape),
                    "relative_error": ((rounded - exact).norm() / exact.norm()).item(),
                    "output_error": output_errors.get(name),
                }
            )
    return entries


def _late(outputs, layer):
    """Round a layer's weights when its turn comes: all at once would double the memory."""
    return lambda x: outputs(layer)(x)


def main() -> None:
    """Carry out the request of `quantize_llm_compressor.py`; a user's mistake exits with 2."""
    # The parent holds the other end of standard input: when it is killed, this process ends too.
    threading.Thread(target=lambda: sys.stdin.read() or os._exit(1), daemon=True).start()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    torch.set_num_threads(request["threads"])
    try:
        with new_checkpoint(request["checkpoint"], chat_template=False, quantized=True) as folder:
            quantize(
                Path(request["original"]),
                folder,
                request["texts"],
                request["method"],
                request["parameters"],
                request["device"],
            )
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        Path(request["error"]).write_text(str(error), encoding="utf-8")
        sys.exit(2)


if __name__ == "__main__":
    main()
