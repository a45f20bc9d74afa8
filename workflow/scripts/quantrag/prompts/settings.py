"""The configuration's section `prompts`."""

from typing import Literal

from pydantic import Field

from quantrag.section import Section


class PromptSettings(Section):
    """How a query and its documents become the text that a model reads."""

    style: Literal["paper", "lamp"] = Field(
        "paper",
        description="Wording: `paper` is that of the replicated paper's code, for LaMP-3 and "
        "LaMP-5; `lamp` is LaMP's own, for every task.",
    )
    packing: Literal["exact", "paper"] = Field(
        "exact",
        description="How many documents go into a prompt: `exact` counts the finished prompt's "
        "tokens; `paper` does as the replicated paper's code, which counts the documents twice, so "
        "that about half as many fit.",
    )
