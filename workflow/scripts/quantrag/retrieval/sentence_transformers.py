"""What a sentence-transformers folder says of its encoder: modules, pooling, prompts, length."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quantrag.errors import UserError

log = logging.getLogger(__name__)

#: Keys of a Pooling module's config.json (sentence-transformers up to 5), and the mode's name.
_MODES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
#: Names of the prompt for documents, in the order in which sentence-transformers looks for them.
_DOCUMENT_PROMPTS = ("document", "passage", "corpus")


def check_modules(folder: Path) -> None:
    """Refuse a sentence-transformers model that has more than an encoder and its pooling.

    Args:
        folder: of the checkpoint; without a `modules.json` nothing is known and nothing refused.

    Raises:
        UserError: it has another module (such as `Dense`), without which its vectors mean nothing.
    """
    known = ("Transformer", "Pooling", "Normalize")
    others = [name for name in map(_type, _modules(folder)) if name not in known]
    if others:
        raise UserError(
            f"{folder}: its vectors pass through {', '.join(others)}, which is not supported. Take "
            "an encoder that has only Transformer, Pooling and Normalize."
        )


def stated_pooling(folder: Path) -> str | None:
    """The pooling that the model was trained with, as its folder says; None where it doesn't.

    Raises:
        UserError: it is one that is not supported here (neither `mean` nor `cls`).
    """
    stated = _read(_pooling_file(folder), dict)
    if not stated:
        return None
    modes = [name for key, name in _MODES.items() if stated.get(key)]
    if "pooling_mode" in stated:
        named = stated["pooling_mode"]
        modes = [str(mode) for mode in ([named] if isinstance(named, str) else named or [])]
    if modes not in ([], ["mean"], ["cls"]):
        raise UserError(
            f"{_pooling_file(folder)}: the model pools its tokens by {' and '.join(modes)}, which "
            "is not supported. Take an encoder that pools by mean or cls."
        )
    return modes[0] if modes else None


def pooling(folder: Path, asked: str | None, pooler_is_cls: bool = False) -> str:
    """The pooling to use: the one asked for, or the model's own where the config leaves it open.

    Args:
        folder: of the checkpoint.
        asked: `mean`, `cls`, `pooler`, or None.
        pooler_is_cls: whether the model's pooled output is its first token's vector (DPR).

    Raises:
        UserError: the model says otherwise, or something that is not supported.
    """
    stated = stated_pooling(folder)
    if asked is None:
        return stated or "mean"
    same = asked == stated or (pooler_is_cls and {asked, stated} == {"pooler", "cls"})
    if stated is not None and not same:
        raise UserError(
            f"{folder}: the config says pooling: {asked}, but the model was trained with {stated} "
            f"({_pooling_file(folder).relative_to(folder)}): its vectors would mean nothing. Leave "
            f"pooling out, or set it to {stated}."
        )
    return asked


def prefix(folder: Path, asked: str | None, kind: str) -> str:
    """The text put before each query or document: the config's, or the model's own prompt.

    A prompt that is stated for another purpose than queries and documents is not taken. One that
    the config overrules is mentioned in the log.

    Args:
        folder: of the checkpoint.
        asked: the config's; None leaves it to the model.
        kind: `query` or `document`.

    Raises:
        UserError: the model leaves its prompt out when it pools (`include_prompt: false`).
    """
    stated = _read(folder / "config_sentence_transformers.json", dict)
    prompts = {str(k): str(v) for k, v in (stated.get("prompts") or {}).items() if v}
    names = ("query",) if kind == "query" else _DOCUMENT_PROMPTS
    own = next((prompts[name] for name in names if name in prompts), "")
    own = own or prompts.get(str(stated.get("default_prompt_name")), "")
    text = own if asked is None else asked
    if asked is not None and asked != own and own:
        log.warning(
            "%s: its own prompt for a %s is %r, the config's %s_prefix is %r", folder, kind, own,
            kind, asked,
        )  # fmt: skip
    elif asked is None and own:
        log.info("%s: %r is put before each %s, as the model says", folder, own, kind)
    elif prompts and not own and asked is None:
        log.warning(
            "%s: names prompts (%s), but none for a %s; set %s_prefix to put one before it",
            folder,
            ", ".join(prompts),
            kind,
            kind,
        )
    if text and _read(_pooling_file(folder), dict).get("include_prompt") is False:
        raise UserError(
            f"{_pooling_file(folder)}: the model leaves its prompt out when it pools "
            "(include_prompt: false), which is not supported. Take another encoder."
        )
    return text


def stated_length(folder: Path) -> int | None:
    """`max_seq_length` of the folder's `sentence_bert_config.json`; None where it has none."""
    value = _read(folder / "sentence_bert_config.json", dict).get("max_seq_length")
    return int(value) if value else None


def check_normalize(folder: Path, normalize: bool) -> None:
    """Say in the log where the model normalizes its vectors and the config does not."""
    if not normalize and "Normalize" in map(_type, _modules(folder)):
        log.warning("%s: its own vectors are normalized; the config says normalize: false", folder)


def _modules(folder: Path) -> list[Mapping[str, Any]]:
    return [module for module in _read(folder / "modules.json", list) if isinstance(module, dict)]


def _type(module: Mapping[str, Any]) -> str:
    return str(module.get("type")).rpartition(".")[2]


def _pooling_file(folder: Path) -> Path:
    for module in _modules(folder):
        if _type(module) == "Pooling" and module.get("path"):
            return folder / str(module["path"]) / "config.json"
    return folder / "1_Pooling" / "config.json"


def _read(path: Path, kind: type) -> Any:
    """The content of a JSON file; empty if there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return kind()
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error}).") from None
    if not isinstance(content, kind):
        raise UserError(f"{path}: a JSON {'object' if kind is dict else 'list'} is needed.")
    return content
