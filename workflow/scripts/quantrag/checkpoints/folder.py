"""Checkpoint folders in Hugging Face's layout: complete or absent, checked, fingerprinted.

Light on purpose (standard library only): every stage from prompts to generation reads checkpoints
through it. What creates them lives in `gguf`, `hub` and `quantization`.
"""

import contextlib
import glob
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from quantrag.checkpoints.model_config import context_limit
from quantrag.errors import UserError

#: Files that decide what a checkpoint computes, and so its fingerprint. READMEs, licences,
#: `quantization.json` and caches do not.
FINGERPRINTED = (
    "*.safetensors",
    "*.safetensors.index.json",
    "config.json",
    "generation_config.json",
    "quantize_config.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "chat_template.*",
)
#: Keys of `config.json` under which libraries state how the weights are quantized: transformers and
#: most others, compressed-tensors, MLX.
_QUANTIZATION_KEYS = ("quantization_config", "compression_config", "quantization")
#: Files that state it instead: AutoGPTQ, AutoAWQ, NVIDIA's ModelOpt.
_QUANTIZATION_FILES = ("quantize_config.json", "quant_config.json", "hf_quant_config.json")
#: Last parts of the names of tensors that only quantized layers have: GPTQ and AWQ,
#: compressed-tensors, block-wise FP8 (DeepSeek), bitsandbytes, EETQ.
_QUANTIZED_TENSORS = {
    *("qweight", "qzeros", "g_idx"),
    *("weight_packed", "weight_scale", "weight_scale_2", "weight_zero_point"),
    *("weight_global_scale", "weight_scale_inv"),
    *("SCB", "absmax", "quant_map", "nested_absmax", "weight_format"),
}
#: Data types of which no layer is trained; and those of packed integers, which buffers have too.
_QUANTIZED_DTYPES = ("F8", "F4", "F6")
_INTEGER_DTYPES = ("I8", "U8", "I16", "U16", "I32", "U32")
#: Files of weights that are not the model's own: Mistral's format and adapters.
_OTHER_WEIGHTS = ("consolidated", "adapter_")
#: How the tensor of the token embeddings is named: Llama and most others, GPT-2, Bloom and Falcon,
#: GPT-NeoX, InternLM 2, OLMo.
_EMBEDDINGS = (
    "embed_tokens.weight",
    "wte.weight",
    "word_embeddings.weight",
    "embed_in.weight",
    "tok_embeddings.weight",
)
_HASHES = ".fingerprint.json"
#: The safetensors format limits its header to 100 MB.
_MAX_HEADER = 100_000_000


@contextlib.contextmanager
def new_folder(
    path: str | Path, partial: str = "tmp", keep_partial: bool = False
) -> Iterator[Path]:
    """Give a hidden folder beside `path`; rename it to `path` when the block ends without error.

    A killed job therefore never leaves half a checkpoint under the final name. Other hidden
    partial folders of `path` (from killed jobs) are deleted first.

    Args:
        path: the final folder; replaced when it exists.
        partial: suffix of the hidden folder's name.
        keep_partial: keep the partial folder, of the same suffix, from an earlier attempt and
            after an error, for work that can be resumed in it.
    """
    path = Path(path)
    # No name in a config has a tilde, so these are never the folders of another name.
    temporary = path.with_name(f".{path.name}~{partial}")
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob(f".{glob.escape(path.name)}~*"):
        if not (keep_partial and old == temporary):
            shutil.rmtree(old)
    temporary.mkdir(exist_ok=keep_partial)
    try:
        yield temporary
    except BaseException:
        if not keep_partial:
            shutil.rmtree(temporary, ignore_errors=True)
        raise
    _share(temporary)
    if path.exists():
        shutil.rmtree(path)
    os.replace(temporary, path)


@contextlib.contextmanager
def new_checkpoint(
    path: str | Path, partial: str = "tmp", keep_partial: bool = False, **checks: bool | None
) -> Iterator[Path]:
    """`new_folder` for a checkpoint: checked and fingerprinted before it gets its name.

    Args:
        path, partial, keep_partial: as `new_folder`.
        checks: of `validate`.

    Raises:
        UserError: as `validate`.
    """
    with new_folder(path, partial, keep_partial) as folder:
        yield folder
        validate(folder, **checks)
        fingerprint(folder)


def _share(folder: Path) -> None:
    """Give the folder's files the permissions that the umask leaves to new files.

    The library safetensors writes its files for their owner only, and others of a group are to read
    a checkpoint too.
    """
    umask = os.umask(0)
    os.umask(umask)
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o666 & ~umask))


def link_files(source: str | Path, target: str | Path) -> None:
    """Link the checkpoint files of the folder `source` into the existing folder `target`.

    Links, not copies: a 7B model is 15 GB. Only files that a checkpoint consists of are linked.
    """
    for path in _files(Path(source)):
        (Path(target) / path.name).symlink_to(path.resolve())


def validate(
    folder: str | Path,
    *,
    chat_template: bool = True,
    quantized: bool | None = None,
) -> None:
    """Check that a folder holds a checkpoint that the workflow can use.

    Args:
        folder: the checkpoint.
        chat_template: whether the tokenizer must come with a chat template.
        quantized: whether the checkpoint must (True) or must not (False) be quantized, as far as
            its files and the names and types of its tensors say so; None accepts both.

    Raises:
        UserError: a file is missing, truncated or malformed, with the folder and what is wrong.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder (a checkpoint in Hugging Face's layout).")
    config = read_config(folder)
    _validate_weights(folder)
    names = {path.name for path in folder.iterdir()}
    if not (names & {"tokenizer.json", "tokenizer.model"} or {"vocab.json", "merges.txt"} <= names):
        raise UserError(
            f"{folder}: no tokenizer: tokenizer.json, tokenizer.model, or vocab.json with "
            "merges.txt is needed."
        )
    if chat_template and not has_chat_template(folder):
        raise UserError(
            f"{folder}: its tokenizer has no chat template. Take an instruction-tuned checkpoint, "
            "or set the model's chat_template to none to prompt it with plain text."
        )
    if quantized is False:
        why = _quantized_because(folder, config)
        if why:
            raise UserError(
                f"{folder}: this checkpoint is already quantized ({why}); a model's source must be "
                "the original. List it under a precision of method published."
            )
    if quantized is True and not quantization_settings(config):
        raise UserError(
            f"{folder}: config.json has no quantization_config, so this is not a quantized "
            "checkpoint. Use a precision of method none for it."
        )


def quantization_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """How a checkpoint's `config.json` says that its weights are quantized; empty if it doesn't.

    Looks at every key that is in use for it (see `_QUANTIZATION_KEYS`), at the top and in the
    sections of composite models (`text_config`).
    """
    for key in _QUANTIZATION_KEYS:
        stated = config.get(key)
        if stated:
            return dict(stated) if isinstance(stated, Mapping) else {"quant_method": str(stated)}
    for section in config.values():
        if isinstance(section, Mapping) and (found := quantization_settings(section)):
            return found
    return {}


def _quantized_because(folder: Path, config: Mapping[str, Any]) -> str:
    """What shows that a checkpoint is quantized, in words; empty if nothing does."""
    if settings := quantization_settings(config):
        return str(settings.get("quant_method", "unknown method"))
    for name in _QUANTIZATION_FILES:
        if (folder / name).is_file():
            return f"it holds {name}"
    for name, entry in tensor_entries(folder).items():
        last, dtype = name.rpartition(".")[2], str(entry.get("dtype"))
        if (
            last in _QUANTIZED_TENSORS
            or dtype.startswith(_QUANTIZED_DTYPES)
            or (dtype in _INTEGER_DTYPES and (last == "weight" or last.endswith("_blocks")))
        ):
            return f"its tensor {name} is one of a quantized layer, of type {dtype}"
    return ""


def check_context(folder: str | Path, context: int) -> None:
    """Check that a checkpoint's `config.json` allows a context length.

    Args:
        folder: the checkpoint.
        context: tokens of prompt and answer that the config asks of the model.

    Raises:
        UserError: it allows less.
    """
    limit, key = context_limit(read_config(folder))
    if limit is not None and context > limit:
        raise UserError(
            f"{folder}: the model's context is set to {context} tokens, but its config.json allows "
            f"{limit} ({key})."
        )


def has_chat_template(folder: str | Path) -> bool:
    """Whether the checkpoint's tokenizer comes with a chat template, in any of its three places."""
    folder = Path(folder)
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return True
    path = folder / "tokenizer_config.json"
    return path.is_file() and bool(read_json(path).get("chat_template"))


def read_config(folder: str | Path) -> dict:
    """The checkpoint's `config.json`. Raises UserError when it is missing or not a JSON object."""
    return read_json(Path(folder) / "config.json")


def fingerprint(folder: str | Path) -> str:
    """Hash of everything in a checkpoint that decides its outputs (see `FINGERPRINTED`).

    SHA-256 over the names and SHA-256 hashes of the files, weights in full: a sampled hash would
    miss a few changed weights. The hashes are kept in a hidden file in the folder, each valid for
    one file size and modification time, so that only the first call reads 15 GB (the rules that
    create checkpoints make that call). The same bytes give the same fingerprint on any machine.

    Returns:
        64 hexadecimal digits.

    Raises:
        UserError: the folder does not exist or holds no weights.
    """
    folder = Path(folder)
    paths = _files(folder)
    if not any(path.suffix == ".safetensors" for path in paths):
        raise UserError(f"{folder}: no checkpoint here (no .safetensors file).")
    known = _read_hashes(folder)
    hashes = {}
    for path in paths:
        stat = path.stat()
        entry = known.get(path.name, {})
        if (entry.get("size"), entry.get("mtime_ns")) != (stat.st_size, stat.st_mtime_ns):
            with open(path, "rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            entry = {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": digest}
        hashes[path.name] = entry
    if hashes != known:
        _write_hashes(folder, hashes)
    lines = "".join(f"{name}\t{entry['sha256']}\n" for name, entry in hashes.items())
    return hashlib.sha256(lines.encode()).hexdigest()


def file_sizes(folder: str | Path) -> dict[str, int]:
    """Size in bytes of each file that belongs to the checkpoint, by name, sorted."""
    return {path.name: path.stat().st_size for path in _files(Path(folder))}


def weight_bytes(folder: str | Path) -> int:
    """Bytes of weights: the sum over the safetensors files, headers included."""
    return sum(n for name, n in file_sizes(folder).items() if name.endswith(".safetensors"))


def tensor_entries(folder: str | Path) -> dict[str, dict]:
    """Every stored tensor's header entry: {name: {dtype, shape, data_offsets}}, over all files.

    Reads only the headers, so it takes milliseconds for any size of checkpoint.
    """
    entries: dict[str, dict] = {}
    for path in _files(Path(folder)):
        if path.suffix == ".safetensors":
            entries.update(_read_header(path))
    return entries


def embedding_rows(folder: str | Path) -> int | None:
    """How many tokens the model has embeddings for; None where no tensor's name tells.

    Weights that can't be read tell nothing either: what loads them refuses them.
    """
    try:
        entries = tensor_entries(folder)
    except UserError:
        return None
    for name, entry in entries.items():
        if name.endswith(_EMBEDDINGS) and len(entry.get("shape") or []) == 2:
            return int(entry["shape"][0])
    return None


def weight_files(folder: str | Path) -> list[Path]:
    """The safetensors files that make up the model, sorted by name.

    Those that the index names where there is one, as engines do; else `model.safetensors`; else all
    but a second copy in Mistral's own format (`consolidated*`) and adapters (`adapter_*`).

    Raises:
        UserError: an index is malformed.
    """
    folder = Path(folder)
    index = _index(folder)
    if index is not None:
        return [folder / name for name in _shards(index) if (folder / name).is_file()]
    single = folder / "model.safetensors"
    if single.is_file():
        return [single]
    return sorted(
        path
        for path in folder.glob("*.safetensors")
        if path.is_file() and not path.name.startswith(_OTHER_WEIGHTS)
    )


def _index(folder: Path) -> Path | None:
    """The index of the model's shards; None where it has none."""
    usual = folder / "model.safetensors.index.json"
    found = [
        path
        for path in sorted(folder.glob("*.safetensors.index.json"))
        if not path.name.startswith(_OTHER_WEIGHTS)
    ]
    return usual if usual in found else next(iter(found), None)


def _shards(index: Path) -> list[str]:
    """Names of the files that an index names, sorted."""
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise UserError(f"{index}: it has no weight_map, so it names no file.")
    names = sorted({str(name) for name in weight_map.values()})
    outside = [name for name in names if Path(name).name != name]
    if outside:
        raise UserError(f"{index}: names files outside its folder: {', '.join(outside)}.")
    return names


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder (a checkpoint in Hugging Face's layout).")
    weights, index = weight_files(folder), _index(folder)
    others = [
        path
        for path in folder.iterdir()
        if path.is_file()
        and any(fnmatch(path.name, pattern) for pattern in FINGERPRINTED)
        and not path.name.endswith((".safetensors", ".safetensors.index.json"))
    ]
    return sorted([*weights, *others, *([index] if index else [])])


def _validate_weights(folder: Path) -> None:
    weights = weight_files(folder)
    index = _index(folder)
    if index is not None:
        missing = sorted(set(_shards(index)) - {path.name for path in weights})
        if missing:
            raise UserError(f"{index}: names files that are not there: {', '.join(missing)}.")
    elif not weights:
        raise UserError(f"{folder}: no .safetensors file.{_other_weights(folder)}")
    else:
        _validate_shards(folder, weights)
    for path in weights:
        _read_header(path)


def _validate_shards(folder: Path, weights: list[Path]) -> None:
    """Check that shards are complete where no index names them."""
    names = {path.name for path in weights}
    for name in sorted(names):
        shard = re.fullmatch(r"(.*-)(\d+)(-of-)(\d+)(\.safetensors)", name)
        if shard is None:
            continue
        start, number, of, count, end = shard.groups()
        wanted = [f"{start}{i:0{len(number)}}{of}{count}{end}" for i in range(1, int(count) + 1)]
        missing = [one for one in wanted if one not in names]
        if missing:
            raise UserError(
                f"{folder}: {len(missing)} of {int(count)} shards are missing ({missing[0]})."
            )


def _other_weights(folder: Path) -> str:
    """What a folder without the model's weights has instead, and what to do."""
    names = sorted(path.name for path in folder.iterdir())
    pickles = [name for name in names if name.endswith((".bin", ".pt", ".pth"))]
    if any(name.startswith("adapter_") for name in names):
        return (
            " It holds an adapter (LoRA): merge it into its base model, and give the merged "
            "checkpoint."
        )
    if any(name.startswith("consolidated") for name in names):
        return " It holds the model only in Mistral's own format (consolidated.*)."
    if pickles:
        return (
            f" {pickles[0]} is a pickle, which can run code when it is loaded: convert it to "
            "safetensors."
        )
    return ""


def _read_header(path: Path) -> dict[str, dict]:
    """Tensor entries of one safetensors file; raises UserError when it is not a whole one."""
    size = path.stat().st_size
    try:
        with open(path, "rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 2 <= length <= min(size - 8, _MAX_HEADER):
                raise ValueError("bad header length")
            header = json.loads(stream.read(length))
        header.pop("__metadata__", None)
        end = 8 + length + max((e["data_offsets"][1] for e in header.values()), default=0)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not a safetensors file, or cut off ({error}).") from None
    if size != end:
        raise UserError(f"{path}: cut off or damaged: {size} bytes, its header says {end}.")
    return header


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises UserError when it is missing or holds something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file.") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid JSON ({error}).") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: a JSON object is needed.")
    return content


def _read_hashes(folder: Path) -> dict[str, dict]:
    try:
        known = json.loads((folder / _HASHES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write_hashes(folder: Path, hashes: dict[str, dict]) -> None:
    # A cache, no more: a read-only folder must not stop a run.
    temporary = folder / f"{_HASHES}.{os.getpid()}"
    with contextlib.suppress(OSError):
        temporary.write_text(json.dumps(hashes, indent=1), encoding="utf-8")
        os.replace(temporary, folder / _HASHES)
