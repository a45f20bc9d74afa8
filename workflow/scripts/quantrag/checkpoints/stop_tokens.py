"""The tokens that end an answer, as a checkpoint's files say it.

Light on purpose: `transformers` would load PyTorch, before an engine has set the environment that
PyTorch reads.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
import jinja2.ext
import jinja2.sandbox

from quantrag.checkpoints.folder import embedding_rows, read_config, read_json
from quantrag.checkpoints.model_config import text_config
from quantrag.errors import UserError

_PROBE = "probe-of-an-answer"


def stop_token_ids(folder: str | Path) -> tuple[int, ...]:
    """Ids of the tokens that end an answer, sorted.

    They are put together from `eos_token_id` in `generation_config.json` and `config.json`, the
    tokenizer's end of text (as vLLM does), and the token that ends an answer in the chat template:
    many fine-tuned models with ChatML have changed only the last two. An entry that is not a token
    of the model (null, a negative number) is left out.

    Args:
        folder: the model's original checkpoint.

    Raises:
        UserError: an `eos_token_id` is neither an integer nor a list of them, or no file names an
            ending token.
    """
    folder = Path(folder)
    config = read_config(folder)
    ids = set(_stated(config, folder / "config.json"))
    ids.update(_stated(text_config(config), folder / "config.json"))
    generation = folder / "generation_config.json"
    if generation.is_file():
        ids.update(_stated(read_json(generation), generation))
    ids.update(_of_tokenizer(folder))
    rows = embedding_rows(folder)
    ids = {token for token in ids if token >= 0 and (rows is None or token < rows)}
    if not ids:
        raise UserError(
            f"{folder}: neither generation_config.json nor config.json has an eos_token_id of the "
            "model's, and its tokenizer names no end of text, so answers would never end."
        )
    return tuple(sorted(ids))


def _stated(content: Mapping[str, Any], path: Path) -> Iterator[int]:
    value = content.get("eos_token_id")
    for entry in value if isinstance(value, list) else [value]:
        if entry is None:
            continue
        try:
            token = int(entry)
            exact = not isinstance(entry, bool) and float(entry) == token
        except (TypeError, ValueError, OverflowError):
            exact = False
        if not exact:
            raise UserError(
                f"{path}: eos_token_id is {value!r}; a token's id or a list of them is needed."
            )
        yield token


def _of_tokenizer(folder: Path) -> Iterator[int]:
    settings = _optional(folder / "tokenizer_config.json")
    special = _special_tokens(folder, settings)
    eos = _text(settings.get("eos_token"))
    eos = eos or _text(_optional(folder / "special_tokens_map.json").get("eos_token"))
    if eos in special:
        yield special[eos]
    end = _end_of_answer(folder, settings, eos)
    # The longest first: one token's text may be the beginning of another's.
    for token in sorted(special, key=len, reverse=True):
        if token and end.startswith(token):
            yield special[token]
            return


def _special_tokens(folder: Path, settings: Mapping[str, Any]) -> dict[str, int]:
    """Ids of the special tokens by their text."""
    tokens: dict[str, int] = {}
    stated = settings.get("added_tokens_decoder")
    if isinstance(stated, Mapping):
        for token_id, entry in stated.items():
            if isinstance(entry, Mapping) and entry.get("special") and str(token_id).isdecimal():
                tokens[str(entry.get("content"))] = int(token_id)
    stated = _optional(folder / "tokenizer.json").get("added_tokens")
    for entry in stated if isinstance(stated, list) else []:
        if isinstance(entry, Mapping) and entry.get("special"):
            tokens[str(entry.get("content"))] = int(entry["id"])
    return tokens


def _end_of_answer(folder: Path, settings: Mapping[str, Any], eos: str) -> str:
    """What the chat template writes behind an answer; empty where it says nothing.

    A template that can't be rendered is `prompts.chat_templates`' to refuse.
    """
    source = _template(folder, settings)
    if not source:
        return ""
    messages = [{"role": "user", "content": "x"}, {"role": "assistant", "content": _PROBE}]
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = lambda _: ""
    try:
        text = environment.from_string(source).render(
            messages=messages,
            tools=None,
            documents=None,
            add_generation_prompt=False,
            eos_token=eos,
            bos_token=_text(settings.get("bos_token")),
        )
    except Exception:
        return ""
    return text.partition(_PROBE)[2].lstrip()


def _template(folder: Path, settings: Mapping[str, Any]) -> str:
    path = folder / "chat_template.jinja"
    if path.is_file():
        return path.read_text(encoding="utf-8", errors="replace")
    stated = settings.get("chat_template") or _optional(folder / "chat_template.json").get(
        "chat_template"
    )
    if isinstance(stated, list):
        named = {entry.get("name"): entry.get("template") for entry in stated if entry}
        stated = named.get("default") or next(iter(named.values()), "")
    return stated if isinstance(stated, str) else ""


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)


def _text(token: Any) -> str:
    """A special token's text: written as such, or as an object with its `content`."""
    if isinstance(token, Mapping):
        token = token.get("content")
    return token if isinstance(token, str) else ""


def _optional(path: Path) -> dict[str, Any]:
    """The content of a tokenizer's file; empty where there is none that can be read."""
    try:
        return read_json(path)
    except UserError:
        return {}
