"""Predictions read from the model's raw text, by named rules.

Three rules, chosen by `scoring.parsing` in the config; the raw text stays in the completions:

strict: LaMP's own. The answer is the whole text without surrounding white space.
lenient: what a reader would take for the answer: the first rating or label in the text; the title
    without introduction, quotes, `Title:` and trailing notes.
paper: as the released code of Yazan et al. (2024, arXiv 2406.10251) does it, its slips included:
    of a LaMP-5 answer with several lines it keeps what comes *after* the first line break, and a
    rating that is not there becomes 0.

A prediction that is no answer to the task (no number from 1 to 5, no label of the task, no text) is
kept as it is and marked as not valid; what it costs is a matter of `scoring.invalid`.
"""

import math
import re
from typing import NamedTuple

from quantrag.scoring.metrics import LABEL, RATING, kind_of, labels_of

# Raise it whenever a rule gives another prediction for some text: it stands in the scores' files.
VERSION = 1
RULES = ("lenient", "strict", "paper")

# A digit inside a longer number is no rating: not in "10", and only the 2 in "2.5".
_RATING = re.compile(r"(?<!\d)(?<!\d[.,])[1-5](?!\d)")
_QUOTED = re.compile(r'"([^"]*)"')
_LEAD = re.compile(
    r"^(?:[*#>\s-]*)(?:(?:\w+ )?(?:title|headline|tweet|answer|output|subject|paraphrase))"
    r"\s*\**\s*:\s*",
    re.IGNORECASE,
)
_NOTE = re.compile(r"\s*[(\[]?\s*\b(?:note|explanation)\s*:.*$", re.IGNORECASE | re.DOTALL)
_QUOTES = "\"'`*“”‘’«»„ \t"
_PAIRS = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "„": "“"}


class Prediction(NamedTuple):
    """A prediction, and whether it is an answer to the task."""

    text: str
    valid: bool


def parse(text: str, lamp: int, rule: str) -> Prediction:
    """Read the prediction from one completion.

    Args:
        text: the model's raw answer.
        lamp: number of the LaMP task, 1 to 7.
        rule: `strict`, `lenient` or `paper`.

    Raises:
        ValueError: for an unknown rule.
    """
    if rule not in RULES:
        raise ValueError(f"unknown parsing rule {rule!r}; known: {', '.join(RULES)}")
    kind = kind_of(lamp)
    if rule == "strict":
        prediction = text.strip()
    elif rule == "paper":
        prediction = _paper(text, lamp)
    elif kind == RATING:
        match = _RATING.search(text)
        prediction = match.group() if match else text.strip()
    elif kind == LABEL:
        prediction = _first_label(text, labels_of(lamp)) or text.strip()
    else:
        prediction = _title(text)
    return Prediction(prediction, _is_answer(prediction, lamp))


def rating(prediction: str) -> float | None:
    """The number that LaMP's evaluation reads from a prediction; None where it reads none.

    LaMP takes whatever Python's `float` takes. "nan" and "inf" stop LaMP's evaluation with an
    error; here they are no number.
    """
    try:
        number = float(prediction)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _is_answer(prediction: str, lamp: int) -> bool:
    kind = kind_of(lamp)
    if kind == RATING:
        number = rating(prediction)
        return number is not None and 1 <= number <= 5
    if kind == LABEL:
        return prediction in labels_of(lamp)
    return bool(prediction)


def _first_label(text: str, labels: tuple[str, ...]) -> str | None:
    """The label that stands first in the text, the longest of those that start together."""
    # LaMP-1's labels are "[1]" and "[2]"; where neither is there, 1 or (1) will do.
    for written in (str, lambda label: label.strip("[]")):
        found = [
            (match.start(), -len(label), label)
            for label in labels
            if (match := re.search(rf"(?<!\w){re.escape(written(label))}(?!\w)", text, re.I))
        ]
        if found:
            return min(found)[2]
    return None


def _title(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    led = next((i for i, line in enumerate(lines) if _LEAD.match(line)), None)
    if led is not None:
        # The answer stands after the colon, or on the next line ("**Title:**").
        rest = _LEAD.sub("", lines[led]).strip(_QUOTES)
        line = _LEAD.sub("", lines[led]) if rest else "".join(lines[led + 1 : led + 2])
    elif lines[0].endswith(":") and len(lines) > 1:
        line = lines[1]
    else:
        line = lines[0]
    return _unquote(_NOTE.sub("", line).strip())


def _unquote(text: str) -> str:
    """Take away emphasis, and quotes around the whole text or never closed."""
    text = text.strip("#>*_` ")
    while len(text) > 1 and _PAIRS.get(text[0]) == text[-1] and text[-1] not in text[1:-1]:
        text = text[1:-1].strip("*_` ")
    if text[:1] in tuple('"“«') and not any(quote in text[1:] for quote in '"”»'):
        text = text[1:].strip()
    return text if text.strip(_QUOTES) else ""


def _paper(text: str, lamp: int) -> str:
    if lamp == 3:
        return next((character for character in text if character in "12345"), "0")
    if lamp != 5:
        return text.strip()
    quoted = _QUOTED.search(text)
    title = quoted.group(1) if quoted else text.strip('"')
    title = title[title.find("Title:") + len("Title:") :] if "Title:" in title else title
    title = title.strip().split("</EXAMPLES>")[0].strip()
    title = title.split("</s>")[0].split("Note:")[0].strip()
    # The slip: the code means to drop what follows the first line break, and keeps only that.
    _, line_break, after = title.partition("\n")
    return after.strip() if line_break else title
