"""A model's own chat template around our messages.

A template that refuses or ignores a system message gets the system text in the user turn. Prompts
must not change from day to day, so templates that print the date get a fixed one.
"""

import contextlib
import datetime
import functools
import json
import logging
from pathlib import Path

from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from quantrag.errors import UserError

log = logging.getLogger(__name__)

# The date that Llama 3.1's template falls back to when it is given none.
_DATE = datetime.datetime(2024, 7, 26)
_PROBE = "probe-of-the-system-role"
_SYSTEM = {"role": "system", "content": _PROBE}
_USER = {"role": "user", "content": "x"}


def load_tokenizer(folder: str | Path, embeddings: int | None = None) -> PreTrainedTokenizerBase:
    """Load a tokenizer from a local folder.

    Args:
        folder: the checkpoint.
        embeddings: how many tokens the model has embeddings for. Added tokens beyond them (a
            padding token that came later) are taken out: in a text they would stop the engine.

    Raises:
        UserError: there is no tokenizer in the folder, or a damaged one.
    """
    if not Path(folder).is_dir():
        raise UserError(f"{folder}: no such folder; a checkpoint with a tokenizer is expected.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:
        # The tokenizers' own library raises plain exceptions for a damaged file.
        first = (str(error).splitlines() or ["no message"])[0]
        raise UserError(
            f"{folder}: no tokenizer can be loaded ({type(error).__name__}: {first})"
        ) from None
    processor = Path(folder) / "chat_template.json"
    if not tokenizer.chat_template and processor.is_file():
        # Where models that also read images keep it.
        with contextlib.suppress(ValueError, AttributeError):
            content = json.loads(processor.read_text(encoding="utf-8"))
            tokenizer.chat_template = content.get("chat_template")
    if embeddings is not None:
        _drop_tokens(tokenizer, embeddings, str(folder))
    return tokenizer


def _drop_tokens(tokenizer: PreTrainedTokenizerBase, embeddings: int, name: str) -> None:
    added = tokenizer.added_tokens_decoder
    unknown = {token: str(added[token]) for token in added if token >= embeddings}
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if not unknown or backend is None:
        return
    content = json.loads(backend.to_str())
    content["added_tokens"] = [t for t in content["added_tokens"] if t["id"] < embeddings]
    tokenizer._tokenizer = Tokenizer.from_str(json.dumps(content))
    log.warning(
        "%s: %d added tokens have no embedding (%s): in a text they are read as any other words",
        name,
        len(unknown),
        ", ".join(list(unknown.values())[:3]),
    )


class ChatFormat:
    """Turns a system text and a user text into the text that a model reads.

    Args:
        tokenizer: the model's tokenizer.
        chat_template: "model" for the template that comes with the tokenizer, "none" for plain text
            (base models).
        system_role: "keep" sends a system message, "fold" puts its text into the user turn,
            "auto" folds where the template refuses or ignores a system message.
        name: what messages call the model.

    Raises:
        UserError: "model" is asked for and the tokenizer has no template or one that fails (it
            can't be parsed, calls what isn't there, asks for tools), or "keep" is asked of a
            template that has no system role.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        chat_template: str = "model",
        system_role: str = "auto",
        name: str = "the model",
    ) -> None:
        self.tokenizer = tokenizer
        self.name = name
        self.templated = chat_template == "model"
        self.folds = system_role == "fold" or not self.templated
        if self.templated and not tokenizer.chat_template:
            raise UserError(
                f"models.{name}: its tokenizer has no chat template. For a base model set "
                "chat_template: none."
            )
        self._drops_empty_system = False
        if self.templated:
            self._choose_template()
            self._check_template()
        if self.templated and system_role != "fold":
            why_not = self._why_no_system_role()
            if why_not and system_role == "keep":
                raise UserError(
                    f"models.{name}.system_role: keep, but its chat template {why_not} a system "
                    "message. Allowed: auto, fold."
                )
            self.folds = bool(why_not)
            if why_not:
                log.info(
                    "%s: its chat template %s a system message: system text goes into the user "
                    "turn",
                    name,
                    why_not,
                )
            self._drops_empty_system = not why_not and self._fails(
                [_SYSTEM | {"content": ""}, _USER]
            )

    @property
    def add_special_tokens(self) -> bool:
        """Whether the tokenizer must add BOS and the like: a chat template has written its own."""
        return not self.templated

    @functools.cached_property
    def lead(self) -> str:
        """What the model's own format has between a prompt and its answer, mostly nothing.

        A space in Llama 2's; found by a conversation whose answer is known. Plain text, which has
        no format, gets a space.
        """
        if not self.templated:
            return " "
        try:
            text = self._apply([_USER, {"role": "assistant", "content": _PROBE}], False)
        except UserError:
            return ""
        before, found, _ = text.partition(_PROBE)
        prompt = self._apply([_USER])
        return before.removeprefix(prompt) if found and before.startswith(prompt) else ""

    def render(self, system: str | None, user: str) -> str:
        """The prompt's text up to where the answer starts."""
        if not self.templated:
            return f"{system}\n{user}" if system else user
        if system is None or (system == "" and self._drops_empty_system):
            return self._apply([{"role": "user", "content": user}])
        if self.folds:
            # As the paper's code does for models without a system role, empty texts included.
            return self._apply([{"role": "user", "content": f"{system}\n{user}"}])
        return self._apply(
            [{"role": "system", "content": system}, {"role": "user", "content": user}]
        )

    def _why_no_system_role(self) -> str:
        try:
            text = self._apply([_SYSTEM, _USER])
        except UserError:
            return "refuses"
        return "" if _PROBE in text else "ignores"

    def _choose_template(self) -> None:
        """Take the one that is meant for conversations where the tokenizer has several."""
        templates = self.tokenizer.chat_template
        if not isinstance(templates, dict) or "default" in templates:
            return
        if len(templates) > 1:
            raise UserError(
                f"models.{self.name}: its tokenizer ({self._where}) has {len(templates)} chat "
                f"templates ({', '.join(sorted(templates))}) and none named default. Name one of "
                "them default in a copy of the checkpoint, or set chat_template: none."
            )
        (self.tokenizer.chat_template,) = templates.values()

    def _check_template(self) -> None:
        """Refuse a template that renders neither a question nor a question after instructions."""
        if self._fails([_USER]) and self._fails([_SYSTEM, _USER]):
            self._apply([_USER])

    def _fails(self, messages: list[dict[str, str]]) -> bool:
        try:
            self._apply(messages)
        except UserError:
            return True
        return False

    @property
    def _where(self) -> str:
        """The file of the chat template, as far as it is known."""
        folder = Path(self.tokenizer.name_or_path)
        names = ("chat_template.jinja", "chat_template.json", "tokenizer_config.json")
        return str(next((folder / name for name in names if (folder / name).is_file()), folder))

    def _apply(self, messages: list[dict[str, str]], asks: bool = True) -> str:
        try:
            return self.tokenizer.apply_chat_template(
                messages,
                tokenize=False,
                add_generation_prompt=asks,
                date_string=_DATE.strftime("%d %b %Y"),
                strftime_now=_DATE.strftime,
            )
        except Exception as error:
            # A template is a program of the model's author, so any exception may come out of it.
            first = (str(error).splitlines() or ["no message"])[0]
            line = getattr(error, "lineno", None)
            place = f"{self._where}, line {line}" if line else self._where
            roles = " and ".join(message["role"] for message in messages)
            raise UserError(
                f"models.{self.name}: its chat template ({place}) fails for {roles} messages: "
                f"{type(error).__name__}: {first}. Mend it in a copy of the checkpoint, or set "
                "chat_template: none."
            ) from None
