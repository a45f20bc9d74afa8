"""Prompt styles: what a query and its documents look like as the messages of a chat.

A style is a YAML file in `templates/` whose values are Jinja2 templates, one set per data set,
with the source of its wording. How a model's chat template wraps the messages is the subject of
`quantrag.prompts.chat_templates`.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import yaml
from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from quantrag.errors import UserError

FOLDER = Path(__file__).parent / "templates"
_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
)


@dataclass(frozen=True)
class PromptStyle:
    """The templates of one style for one task.

    Attributes:
        system: text of the system message ("" sends an empty one), None where there is none.
        separator: what stands between two documents.
    """

    system: str | None
    separator: str
    strip_lines: bool
    _document: Template
    _with_documents: Template
    _without_documents: Template

    def document(self, text: str, target: str) -> str:
        """One document as it stands in the prompt."""
        return self._document.render(text=self._clean(text), target=self._clean(target))

    def raw_document(self, text: str, target: str) -> str:
        """One document before the style's stripping of lines."""
        return self._document.render(text=text, target=target)

    def user(self, documents: str, query: str, task_input: str) -> str:
        """Text of the user message.

        Args:
            documents: the documents of the prompt, joined by `separator`; "" where there are none,
                which gives the style's form for k = 0.
            query: the query without LaMP's instruction.
            task_input: LaMP's full input.
        """
        template = self._with_documents if documents else self._without_documents
        return template.render(
            documents=documents, query=self._clean(query), input=self._clean(task_input)
        )

    def _clean(self, text: str) -> str:
        return strip_lines(text) if self.strip_lines else text


def strip_lines(text: str) -> str:
    """Strip every line of a field, as the style's source does with the finished message.

    A field that ends in a line break keeps it, because other lines follow the field.
    """
    lines = f"{text}\n|".splitlines()
    return "\n".join(line.strip() for line in lines)[:-2]


def load_style(name: str, dataset: str) -> PromptStyle:
    """The style `name` for a data set ("LaMP-3"). Raises UserError where the style lacks it."""
    style = _read(name)
    task = _task(style, name, dataset)
    return PromptStyle(
        system=task["system"],
        separator=task["separator"],
        strip_lines=style["strip_lines"],
        _document=_ENVIRONMENT.from_string(task["document"]),
        _with_documents=_ENVIRONMENT.from_string(task["with_documents"]),
        _without_documents=_ENVIRONMENT.from_string(task["without_documents"]),
    )


def style_hash(name: str, dataset: str) -> str:
    """Hash (16 hex digits of SHA-256) of what `load_style` reads of a style for a data set.

    Rules carry it as a parameter: the hash of their code covers Python alone. An edit of one data
    set's templates changes the hash of that one only.
    """
    style = _read(name)
    content = [style["strip_lines"], _task(style, name, dataset)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _read(name: str) -> dict:
    path = FOLDER / f"{name}.yaml"
    if not path.is_file():
        names = ", ".join(sorted(p.stem for p in FOLDER.glob("*.yaml")))
        raise UserError(f"prompts.style: no style {name!r}. Allowed: {names}.")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _task(style: dict, name: str, dataset: str) -> dict:
    if dataset not in style["tasks"]:
        known = ", ".join(style["tasks"])
        raise UserError(
            f"prompts.style: the style {name!r} has no wording for {dataset}, only for {known}."
        )
    return style["tasks"][dataset]
