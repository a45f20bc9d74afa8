"""How each LaMP task names its fields, and what its inputs look like.

Fields and instructions as in LaMP's files; LaMP-6 is left out, because its e-mails are private.
"""

import re
from dataclasses import dataclass

from quantrag.tasks.answers import RATINGS


@dataclass(frozen=True)
class Layout:
    """How one LaMP task names its fields.

    Attributes:
        text: key of a profile document's text.
        target: key of what a reader learns from the document (title, tag, rating), if any.
        instruction: matches an input; its groups, joined by a space, are the query's text.
        labels: the allowed golds, where they are a fixed set.
        target_is_searched: whether LaMP's retrieval joins title and text with a space; elsewhere it
            takes only the text (`*_corpus_maker` in `prompts/utils.py` of
            https://github.com/LaMP-Benchmark/LaMP).
    """

    text: str
    target: str | None
    instruction: re.Pattern[str]
    labels: tuple[str, ...] = ()
    target_is_searched: bool = False


def _instruction(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


# The movie tags of LaMP-2.
_TAGS = (
    "sci-fi",
    "based on a book",
    "comedy",
    "action",
    "twist ending",
    "dystopia",
    "dark comedy",
    "classic",
    "psychology",
    "fantasy",
    "romance",
    "thought-provoking",
    "social commentary",
    "violence",
    "true story",
)
# Instructions as the files have them; LaMP's own code (LaMP/prompts/utils.py) searches only for
# their last word ("review:", "paper:", ...), which gives the same text. For LaMP-1 that code
# splits at every '"', which cuts titles that contain one; the candidates are kept whole here.
LAYOUTS = {
    1: Layout(
        text="abstract",
        target="title",
        instruction=_instruction(
            r"For an author who has written the paper with the title .*?, which reference is "
            r'related\?.*?\[1\]: "(.*)"\s*\[2\]: "(.*)"\s*$'
        ),
        labels=("[1]", "[2]"),
        target_is_searched=True,
    ),
    2: Layout(
        text="description",
        target="tag",
        instruction=_instruction(
            r"Which tag does this movie relate to among the following tags\?.*?description:(.*)"
        ),
        labels=_TAGS,
    ),
    3: Layout(
        text="text",
        target="score",
        instruction=_instruction(
            r"What is the score of the following review on a scale of 1 to 5\?.*?review:(.*)"
        ),
        labels=RATINGS,
    ),
    4: Layout(
        text="text",
        target="title",
        instruction=_instruction(r"Generate a headline for the following article:(.*)"),
        target_is_searched=True,
    ),
    5: Layout(
        text="abstract",
        target="title",
        instruction=_instruction(r"Generate a title for the following abstract of a paper:(.*)"),
        target_is_searched=True,
    ),
    7: Layout(
        text="text",
        target=None,
        instruction=_instruction(
            r"Paraphrase the following tweet without any explanation before or after it:(.*)"
        ),
    ),
}
