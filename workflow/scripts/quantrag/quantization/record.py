"""`quantization.json`: what was done to a checkpoint, the same for every tool that does it."""

import hashlib
import importlib.metadata
import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from quantrag.checkpoints.folder import file_sizes, fingerprint, tensor_entries, weight_bytes

log = logging.getLogger(__name__)


def keep_tokenizer(original: Path, folder: Path) -> None:
    """Put the original's own files beside the weights: tools change tokenizers when they save."""
    for name in file_sizes(original):
        if name != "config.json" and ".safetensors" not in name:
            shutil.copyfile(original / name, folder / name)


def texts_fingerprint(texts: Sequence[Sequence[int]]) -> str:
    """SHA-256 over the token ids of the calibration texts, in order."""
    digest = hashlib.sha256()
    for ids in texts:
        digest.update(json.dumps(list(map(int, ids))).encode() + b"\n")
    return digest.hexdigest()


def describe_checkpoint(
    original: Path,
    folder: Path,
    texts: Sequence[Sequence[int]],
    method: str,
    format: str,
    parameters: Mapping[str, object],
    device: str,
    modules: Sequence[dict],
    tools: Sequence[str],
) -> dict:
    """The record of a quantized checkpoint; its keys are explained in `docs/quantization.md`.

    Args:
        original: the checkpoint that was quantized.
        folder: the quantized one.
        texts: token ids of the calibration texts.
        method: the precision's method.
        format: of the checkpoint, such as `gptq`.
        parameters: the settings as they took effect.
        device: `cpu` or `cuda`.
        modules: one entry a quantized layer, with `module` and `shape`; `bits_per_weight` is added
            from the sizes of all tensors that are stored under the layer's name.
        tools: distributions whose versions count.
    """
    stored = _stored_bytes(folder, {entry["module"] for entry in modules})
    sizes = {entry["module"]: entry["shape"][0] * entry["shape"][1] for entry in modules}
    for entry in modules:
        name = entry["module"]
        entry["bits_per_weight"] = 8 * stored[name] / sizes[name]
    weights = sum(sizes.values())
    bits = 8 * sum(stored.values()) / weights
    before, after = weight_bytes(original), weight_bytes(folder)
    log.info("%.2f bits a quantized weight, %d bytes before, %d after", bits, before, after)
    return {
        "method": method,
        "format": format,
        "parameters": dict(parameters),
        "original": {"fingerprint": fingerprint(original), "weight_bytes": before},
        "calibration": {
            "fingerprint": texts_fingerprint(texts),
            "texts": len(texts),
            "tokens": sum(map(len, texts)),
        },
        "tools": {name: importlib.metadata.version(name) for name in tools},
        "device": device,
        "quantized_weights": weights,
        "bits_per_weight": bits,
        "weight_bytes": after,
        "files": file_sizes(folder),
        "modules": list(modules),
    }


def write_record(folder: Path, record: Mapping[str, object]) -> None:
    """Write `quantization.json`."""
    text = json.dumps(record, indent=1) + "\n"
    (folder / "quantization.json").write_text(text, encoding="utf-8")


def _stored_bytes(folder: Path, modules: set[str]) -> dict[str, int]:
    """Bytes of everything stored for each layer but its bias, which no method quantizes."""
    stored = dict.fromkeys(modules, 0)
    for name, entry in tensor_entries(folder).items():
        module, _, part = name.rpartition(".")
        if module in stored and part != "bias":
            start, end = entry["data_offsets"]
            stored[module] += end - start
    return stored
