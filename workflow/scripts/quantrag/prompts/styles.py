"""Prompt styles: what a query and its documents look like as the messages of a chat.

A style is a YAML file whose values are Jinja2 templates, one set per data set, with the source of
its wording: `templates/` has ours, and a user may have one anywhere. How a model's chat template
wraps the messages is the subject of `quantrag.prompts.chat_templates`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, Template, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from quantrag.errors import UserError
from quantrag.prompts.settings import StyleFile

FOLDER = Path(__file__).parent / "templates"
#: What each template may name.
VARIABLES = {
    "system": ("labels",),
    "document": ("text", "target", "number"),
    "with_documents": ("documents", "query", "input", "labels"),
    "without_documents": ("query", "input", "labels"),
}
#: The style `task` is the first of these that has wording for the data set.
_BY_TASK = ("rag", "paper")
_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
)


@dataclass(frozen=True)
class PromptStyle:
    """The templates of one style for one task.

    Attributes:
        system: text of the system message ("" sends an empty one), None where there is none.
        separator: what stands between two documents.
        labels: every allowed answer, where they are a fixed set.
    """

    system: str | None
    separator: str
    strip_lines: bool
    labels: tuple[str, ...]
    _document: Template
    _with_documents: Template
    _without_documents: Template

    def document(self, text: str, target: str, number: int) -> str:
        """One document as it stands in the prompt, as the one with a number, from 1."""
        return self.raw_document(self._clean(text), self._clean(target), number)

    def raw_document(self, text: str, target: str, number: int) -> str:
        """One document before the style's stripping of lines."""
        return self._document.render(text=text, target=target, number=number)

    def user(self, documents: str, query: str, task_input: str) -> str:
        """Text of the user message.

        Args:
            documents: the documents of the prompt, joined by `separator`; "" where there are none,
                which gives the style's form for k = 0.
            query: the query without the data set's instruction.
            task_input: the data set's full input.
        """
        fields = {"query": self._clean(query), "input": self._clean(task_input)}
        if not documents:
            return self._without_documents.render(**fields, labels=self.labels)
        return self._with_documents.render(**fields, labels=self.labels, documents=documents)

    def _clean(self, text: str) -> str:
        return strip_lines(text) if self.strip_lines else text


def strip_lines(text: str) -> str:
    """Strip every line of a field, as the style's source does with the finished message.

    A field that ends in a line break keeps it, because other lines follow the field.
    """
    lines = f"{text}\n|".splitlines()
    return "\n".join(line.strip() for line in lines)[:-2]


def make_style(wording: Mapping[str, Any], labels: Sequence[str] = ()) -> PromptStyle:
    """The style of a task from its wording.

    Args:
        wording: from `wording_in` or `built_in_wording`.
        labels: the task's.
    """
    system = wording["system"]
    if system is not None:
        system = _ENVIRONMENT.from_string(system).render(labels=labels)
    return PromptStyle(
        system=system,
        separator=wording["separator"],
        strip_lines=wording["strip_lines"],
        labels=tuple(labels),
        _document=_ENVIRONMENT.from_string(wording["document"]),
        _with_documents=_ENVIRONMENT.from_string(wording["with_documents"]),
        _without_documents=_ENVIRONMENT.from_string(wording["without_documents"]),
    )


def wording_in(style: StyleFile, key: str, name: str) -> dict[str, Any]:
    """One entry of a style as plain values, `style` (its name), `strip_lines` and its templates.

    Rules carry it as a parameter, so that an edit of it reruns what used it, and nothing else.
    """
    return {"style": name, "strip_lines": style.strip_lines, **style.tasks[key].model_dump()}


def built_in_wording(name: str, dataset: str) -> dict[str, Any]:
    """The wording of one of our styles, or of `task`, for a data set, as plain values.

    Raises:
        UserError: there is no such style, or it has no wording for the data set.
    """
    if name == "task":
        name = next((one for one in _BY_TASK if dataset in _built_in(one).tasks), _BY_TASK[-1])
    style = _built_in(name)
    if dataset not in style.tasks:
        known = ", ".join(style.tasks)
        raise UserError(
            f"prompts.style: the style {name!r} has no wording for {dataset}, only for {known}."
        )
    return wording_in(style, dataset, name)


def load_style(name: str, dataset: str, labels: Sequence[str] = ()) -> PromptStyle:
    """One of our styles for a data set ("LaMP-3"); raises UserError as `built_in_wording` does."""
    return make_style(built_in_wording(name, dataset), labels)


def datasets() -> list[str]:
    """The data sets that one of our styles has wording for."""
    return sorted({one for path in FOLDER.glob("*.yaml") for one in _built_in(path.stem).tasks})


def mistakes(wording: Mapping[str, Any], labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with a task's wording: (key, message), the templates in their order.

    Args:
        wording: from `wording_in`.
        labels: the task's.
    """
    found = [
        (key, message)
        for key, allowed in VARIABLES.items()
        for message in _template_mistakes(wording[key] or "", allowed)
    ]
    yield from found or _rendering_mistakes(wording, labels)


def _template_mistakes(template: str, allowed: Sequence[str]) -> Iterator[str]:
    try:
        names = meta.find_undeclared_variables(_ENVIRONMENT.parse(template))
        _ENVIRONMENT.from_string(template)
    except TemplateSyntaxError as error:
        yield f"line {error.lineno} of the template: {error.message}"
        return
    for name in sorted(names.difference(allowed)):
        yield f"unknown variable {name!r}. Allowed: {', '.join(allowed)}"


def _rendering_mistakes(
    wording: Mapping[str, Any], labels: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """What only shows when the templates are filled in."""
    mark = "\ue000"  # a character that no template has
    # Whatever a filter might change: white space, case, markup, length.
    lines = f" aB <&> {mark}\n\n{'word ' * 5_000}\n"
    key = "system"
    try:
        style = make_style(wording, labels)
        key = "document"
        document, empty = (style.document(text, text, 1) for text in (mark, ""))
        key = "with_documents"
        one, two = (style.user(part, "query", "input") for part in (mark, lines))
        unasked = style.user(mark, "", "")
        key = "without_documents"
        alone, nothing = style.user("", "query", "input"), style.user("", "", "")
    except Exception as error:  # a template is a program of its author: anything may come out
        yield key, f"{type(error).__name__}: {error}"
        return
    if document == empty:
        yield "document", "neither {{ text }} nor {{ target }} is in it"
    if one.count(mark) != 1 or two != one.replace(mark, lines):
        yield "with_documents", "{{ documents }} must stand in it once, and as it is"
    for key, asked, blank in (
        ("with_documents", one, unasked),
        ("without_documents", alone, nothing),
    ):
        if asked == blank:
            yield key, "neither {{ query }} nor {{ input }} is in it"


@cache
def _style_at(path: Path, _version: int) -> StyleFile:
    return StyleFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def _built_in(name: str) -> StyleFile:
    path = FOLDER / f"{name}.yaml"
    if not path.is_file():
        names = ", ".join(sorted(p.stem for p in FOLDER.glob("*.yaml")))
        raise UserError(f"prompts.style: no style {name!r}. Allowed: {names}.")
    return _style_at(path, path.stat().st_mtime_ns)
