"""The configuration's section `scoring`."""

from typing import Literal

from pydantic import Field

from quantrag.section import Section


class ScoringSettings(Section):
    """How answers are read and what an invalid one costs."""

    parsing: Literal["lenient", "strict", "paper"] = Field(
        "lenient",
        description="How the prediction is read from the model's text. `lenient`: the first "
        "rating from 1 to 5 or the first label in the text; a title or short answer without "
        "introduction (`Title:`, `The answer is`), quotes and trailing notes, where a short answer "
        "that refuses is `unanswerable`. `strict`: LaMP's own, the whole text without surrounding "
        "white space. `paper`: as the replicated paper's released code does it, with its slips (a "
        "missing rating is 0; of a LaMP-5 answer with several lines it keeps what follows the "
        "first); for LaMP's tasks only.",
    )
    invalid: Literal["worst_case", "exclude"] = Field(
        "worst_case",
        description="What an answer that isn't one costs. `worst_case`: LaMP's rule, an unreadable "
        "rating counts as 1 or 5, whichever is farther from the gold, a label or text as wrong. "
        "`exclude`: such answers are left out. `scores.csv` shows both and their share; the other "
        "tables follow this choice.",
    )
