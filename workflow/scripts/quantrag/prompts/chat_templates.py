"""A model's own chat template around our messages.

A template that refuses or ignores a system message gets the system text in the user turn. Prompts
must not change from day to day, so templates that print the date get a fixed one.
"""

import datetime
import functools
import logging
from pathlib import Path

from jinja2 import TemplateError
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from quantrag.errors import UserError

log = logging.getLogger(__name__)

# The date that Llama 3.1's template falls back to when it is given none.
_DATE = datetime.datetime(2024, 7, 26)
_PROBE = "probe-of-the-system-role"


def load_tokenizer(folder: str | Path) -> PreTrainedTokenizerBase:
    """Load a tokenizer from a local folder. Raises UserError when there is none in it."""
    if not Path(folder).is_dir():
        raise UserError(f"{folder}: no such folder; a checkpoint with a tokenizer is expected.")
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{folder}: no tokenizer can be loaded ({str(error).splitlines()[0]})"
        ) from None


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
        UserError: "model" is asked for and the tokenizer has no template, or "keep" is asked of a
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
        question = {"role": "user", "content": "x"}
        try:
            text = self._apply([question, {"role": "assistant", "content": _PROBE}], False)
        except TemplateError:
            return ""
        before, found, _ = text.partition(_PROBE)
        prompt = self._apply([question])
        return before.removeprefix(prompt) if found and before.startswith(prompt) else ""

    def render(self, system: str | None, user: str) -> str:
        """The prompt's text up to where the answer starts."""
        if not self.templated:
            return f"{system}\n{user}" if system else user
        if system is None:
            return self._apply([{"role": "user", "content": user}])
        if self.folds:
            # As the paper's code does for models without a system role, empty texts included.
            return self._apply([{"role": "user", "content": f"{system}\n{user}"}])
        return self._apply(
            [{"role": "system", "content": system}, {"role": "user", "content": user}]
        )

    def _why_no_system_role(self) -> str:
        try:
            text = self._apply(
                [{"role": "system", "content": _PROBE}, {"role": "user", "content": "x"}]
            )
        except TemplateError:
            return "refuses"
        return "" if _PROBE in text else "ignores"

    def _apply(self, messages: list[dict[str, str]], asks: bool = True) -> str:
        return self.tokenizer.apply_chat_template(
            messages,
            tokenize=False,
            add_generation_prompt=asks,
            date_string=_DATE.strftime("%d %b %Y"),
            strftime_now=_DATE.strftime,
        )
