"""The configuration's section `prompts`, and what a file of templates holds."""

from typing import Literal

from pydantic import Field

from quantrag.prompts.order import Order
from quantrag.section import Line, Section


class PromptSettings(Section):
    """How a query and its documents become the text that a model reads."""

    style: Literal["task", "paper", "lamp", "rag"] = Field(
        "task",
        description="Wording: `paper` is that of the replicated paper's code, for LaMP-3 and "
        "LaMP-5; `lamp` is LaMP's own, for every task of it; `rag` has numbered passages, for "
        "tasks of kind `questions`; `task` takes `rag` for these and `paper` for LaMP's.",
    )
    file: Line | None = Field(
        None,
        description="A file with wording of yours, relative to the working directory "
        "([docs/prompts.md](../docs/prompts.md)). Tasks that it has none for get that of `style`.",
    )
    order: Order = Field(
        "best_first",
        description="How a prompt's documents stand in it: the most relevant one first, last, or "
        "all in a random order, drawn for each query. Which documents these are is decided by "
        "their rank alone.",
    )
    packing: Literal["exact", "paper"] = Field(
        "exact",
        description="How many documents go into a prompt: `exact` counts the finished prompt's "
        "tokens; `paper` does as the replicated paper's code, which counts the documents twice, so "
        "that about half as many fit.",
    )


class Wording(Section):
    """One task's templates (Jinja2) and what is between them."""

    system: str | None = Field(
        None, description="Text of the system message; `null` for none, empty for an empty one."
    )
    separator: str = Field(description="What stands between two documents.")
    document: str = Field(description="A document as it stands in the prompt.")
    with_documents: str = Field(description="The user's message.")
    without_documents: str = Field(description="The user's message where there are no documents.")


class StyleFile(Section):
    """A file of templates."""

    source: str = Field("", description="Where the wording comes from.")
    strip_lines: bool = Field(
        False, description="Whether the lines of texts are stripped of surrounding white space."
    )
    tasks: dict[str, Wording] = Field(
        min_length=1, description="The templates, by the name of a task or of a data set."
    )
