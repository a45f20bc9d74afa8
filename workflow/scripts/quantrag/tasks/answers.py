"""Kinds of answer: how each is found in a model's raw text, and when two answers are the same.

The rules that every task has, chosen by `scoring.parsing` (a data set may have more, see
`quantrag.tasks.task.Task.rules`); the raw text stays in the completions:

strict: LaMP's own. The answer is the whole text without surrounding white space.
lenient: what a reader would take for the answer: the first rating or label in the text; the title
    or short answer without introduction, quotes, `Title:` or "The answer is", and trailing notes.
    A short answer that is a refusal ("The passages do not mention it.") becomes `NO_ANSWER`.

A prediction that is not an answer to the task (no number from 1 to 5, no label of it, no text) is
kept as it is and marked as not valid; what it costs depends on `scoring.invalid`. Under `strict`
and `paper` a number outside 1 to 5 still counts as that number, as in LaMP's evaluation; under
`lenient` it is unreadable, so that no error exceeds the scale.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from quantrag.tasks.tokens import UNSPACED, squad_tokens

# Raise it whenever a rule gives another prediction for some text: it stands in the scores' files.
VERSION = 4
GENERAL_RULES = ("lenient", "strict")

LABEL, RATING, SHORT, TEXT = "label", "rating", "short", "text"
#: No answers that are read here: another program scored them. Not among `ANSWERS`.
SCORE = "score"
RATINGS = ("1", "2", "3", "4", "5")
#: The `flip_key` of everything that is not an answer.
INVALID = "(invalid)"
#: The gold of a question without one, and the prediction of a short answer that is a refusal.
NO_ANSWER = "unanswerable"

# What stands between the ends of a scale: "1 to 5", "1-5", "1 (worst) to 5", "between 1 and 5"; or
# what its ends mean: "1 being the worst and 5 the best".
_RANGE = re.compile(
    r"(?:\s*stars?)?\s*(?:\([^()]*\))?\s*(?:to|through|until|down\s+to|and|[-–—~]|\.{2,3}|…)\s*"
    r"|\s*(?:=|(?:is|being|means?|meaning|as|for)\b)[^.!?\n]{1,60}",
    re.IGNORECASE,
)
_OF = re.compile(r"\s*(?:stars?|points?)?\s*(?:/|(?:out\s+)?of)\s*", re.IGNORECASE)
_OUT_OF = re.compile(r"(?:/|\b(?:out|scale)\s+of)\s*$", re.IGNORECASE)
_WHOLE_NUMBER = re.compile(r"(\d+)(?:\.0+)?(?!\d)")
_LETTER = "[A-Za-zÀ-ɏ]"  # Latin: in other scripts a digit needs no space ("4分")
# Part of a word ("mp3", "2nd", but not "4stars"), a negative number, a price, a percentage.
_NO_RATING_BEFORE = re.compile(rf"(?:{_LETTER}|(?<![\w*])[-−]|[$€£¥]\s?)$")
_NO_RATING_AFTER = re.compile(rf"(?!stars?\b){_LETTER}|\s?%|:\d|,\d{{3}}")
_ALL_RATINGS = set(RATINGS)
_LEAD = re.compile(
    r"^(?:[*#>\s-]*)(?:(?:\w+ )?(?:title|headline|tweet|answer|output|subject|paraphrase))"
    r"\s*\**\s*:\s*",
    re.IGNORECASE,
)
# After a bracket, the end of a sentence, emphasis or a dash: "Technical Note: ..." is a title.
_NOTE = re.compile(
    r"(?:^|\s*[(\[]\s*|(?<=[.!?:;\"”»’'*_`])\s+|\s+[-–—]\s*)[*_]*(?:note|explanation)\s*:.*$",
    re.IGNORECASE | re.DOTALL,
)
# What short answers come from, in the words of those who give them.
_SOURCE = (
    r"(?:(?:the|these|this|any|of|provided|given|above) )*"
    r"(?:passage|document|text|context|source|excerpt|article|information)s?"
)
_ANSWER_LINE = re.compile(
    r"(?:(?:the )?(?:(?:short|final|correct) )?answer|a)\s*[*_]*:\s*[*_]*"
    r"|(?:(?:so|thus|therefore|hence)[,\s]+)?the (?:(?:short|final|correct) )?answer"
    r" (?:to (?:the|this|your) question )?is\b\s*:?\s*(?:that )?",
    re.IGNORECASE,
)
_SHORT_LEAD = re.compile(
    rf"(?:(?:based (?:up)?on|according to|from|in) {_SOURCE}\b[^,\n]{{0,40}},\s*"
    r"|(?:sure|certainly|of course)\s*[!,.]\s*)",
    re.IGNORECASE,
)
# A new sentence of three words or more. Short words and abbreviations end none ("St. Louis", "J.
# Smith"), unless what follows begins as sentences about an answer do.
_NEXT_SENTENCE = re.compile(
    r"(?:(?<=[^\W_]{3}[.!?])|(?<=[)\]\"”][.!?])|(?<=[.!?])(?=\s+(?:The|This|It|According|However"
    r"|Because)\s))\s+(?=[A-Z]\S*\s+\S+\s+\S)"
)
_ABBREVIATION = re.compile(
    r"\b(?:mrs|prof|capt|gen|col|gov|sgt|cpl|sen|rep|rev|hon|inc|ltd|bros|etc|vol|fig|approx|dept"
    r"|ave|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec)\.$",
    re.IGNORECASE,
)
_CITATION = re.compile(
    r"\s*(?:\[\d+(?:\s*,\s*\d+)*\]|\((?:see )?(?:passage|document|source)s? [^()]*\))(?=[.!?]?$)",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"(?:(?:sorry|unfortunately|i'?m sorry|i am sorry)\b[\s,;:.!]*(?:but )?)?(?:"
    # "Unanswerable", "This question cannot be answered", "It is not mentioned", "Not in the text".
    r"(?:(?:(?:the|this|that|your) )?(?:question|answer|it|this|that|information) )?"
    r"(?:is |was |are )?(?:un-?answerable|not answerable|(?:cannot|can't|could not|couldn't) be "
    r"(?:answered|determined)|not (?:explicitly |directly |specifically )?"
    rf"(?:mentioned|stated|specified|(?:(?:given|provided|found|available|contained|included) )?"
    rf"(?:in|by|from) {_SOURCE}))\b"
    r"|(?:the )?(?:answer|information) (?:(?:is|was) not|(?:cannot|can't|could not) be) "
    r"(?:given|provided|found|available|contained|included)\b"
    r"|(?:there (?:is|was) )?(?:no|not enough|insufficient) (?:answer|information|mention)\b"
    # "I don't know", "I cannot answer", "Unable to determine"
    r"|(?:i|we) (?:do not|don't) (?:know|have (?:enough |any )?information)\b"
    r"|(?:(?:i|we) (?:cannot|can't|could not|couldn't|am unable to|are unable to)|unable to) "
    r"(?:answer|find|determine)\b"
    # "The passages do not contain the answer", "None of the documents mentions it"
    rf"|{_SOURCE}(?: (?:you )?provided)? (?:do|does|did)(?: not|n't) (?:\w+ly )?"
    r"(?:contain|mention|provide|say|state|specify|include|give|answer|tell|discuss)\b"
    rf"|(?:none|neither) of {_SOURCE}\b)",
    re.IGNORECASE,
)
_QUOTES = "\"'`*“”‘’«»„ \t"
_PAIRS = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "„": "“"}


class Prediction(NamedTuple):
    """What was read from an answer.

    Attributes:
        text: the prediction; the whole answer where there was none to be found.
        valid: whether it is an answer to the task.
        found: whether there was one to be found; `strict` and the data sets' own rules take
            whatever there is, so a number outside 1 to 5 counts as that number.
    """

    text: str
    valid: bool
    found: bool = True


@dataclass(frozen=True)
class AnswerKind:
    """How one kind of answer is read and compared.

    Attributes:
        find: the answer in a raw text, for the rule `lenient`, given the task's labels; None where
            there is none.
        is_valid: whether a prediction is an answer to the task, given the task's labels.
        flip_key: what two answers must share to count as the same.
        is_right: whether a prediction equals a gold; None where answers are a matter of degree.
    """

    find: Callable[[str, Sequence[str]], str | None]
    is_valid: Callable[[str, Sequence[str]], bool]
    flip_key: Callable[[Prediction], str]
    is_right: Callable[[Prediction, str], bool] | None


def rating(prediction: str) -> float | None:
    """The number that LaMP's evaluation reads from a prediction; None where it reads none.

    LaMP takes whatever Python's `float` takes. "nan" and "inf" stop LaMP's evaluation with an
    error; here they are not numbers.
    """
    try:
        number = float(prediction)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _first_rating(text: str, labels: Sequence[str]) -> str | None:
    """The first rating from 1 to 5 that isn't part of a mention of the scale."""
    matches = list(_WHOLE_NUMBER.finditer(text))
    numbers = [match[1] for match in matches]
    ends = [0, *(match.end() for match in matches)]
    # gaps[i] stands before number i; the last one is the rest of the text.
    gaps = [
        text[end:start]
        for end, start in zip(ends, [*(m.start() for m in matches), len(text)], strict=True)
    ]
    i = 0
    while i < len(numbers):
        past = _past_scale(numbers, gaps, i)
        if past > i:
            i = past
            continue
        # "4 of 10": neither number is a rating from 1 to 5.
        out_of = i + 1 < len(numbers) and _OF.fullmatch(gaps[i + 1]) is not None
        if (
            _stands_alone(text, matches[i])
            and not (out_of and numbers[i + 1] != "5")
            and not _OUT_OF.search(gaps[i])
        ):
            return numbers[i]
        i += 2 if out_of else 1
    return None


def _past_scale(numbers: list[str], gaps: list[str], i: int) -> int:
    """The index after a mention of the whole scale that starts at number i; i if none does."""
    if set(numbers[i : i + 2]) == {"1", "5"} and _RANGE.fullmatch(gaps[i + 1]):
        return i + 2
    seen: set[str] = set()
    for j in range(i, len(numbers)):
        if numbers[j] not in _ALL_RATINGS:
            break
        seen.add(numbers[j])
        if seen == _ALL_RATINGS:
            inside = gaps[i + 1 : j + 1]
            in_order = numbers[i : j + 1] in (
                sorted(numbers[i : j + 1]),
                sorted(numbers[i : j + 1], reverse=True),
            )
            bare = all(re.fullmatch(r"[\W_]*(?:(?:or|and)[\W_]*)?", gap, re.I) for gap in inside)
            if not (in_order or bare):
                break
            # A list that goes on goes on with the same separator.
            while j + 1 < len(numbers) and gaps[j + 1] in inside:
                j += 1
            return j + 1
    return i


def _stands_alone(text: str, match: re.Match[str]) -> bool:
    """Whether digits in a text are a number from 1 to 5 of their own; of "2.5", the 2 is."""
    before, after = text[: match.start()], text[match.end() :]
    return (
        match[1] in _ALL_RATINGS
        and not re.search(r"\d[.,:]$", before)
        and not (match[1] == "5" and re.match(r"[.,]0*[1-9]", after))
        and not _NO_RATING_BEFORE.search(before)
        and not _NO_RATING_AFTER.match(after)
    )


def _is_rating(prediction: str, labels: Sequence[str]) -> bool:
    number = rating(prediction)
    return number is not None and 1 <= number <= 5


def _rating_key(prediction: Prediction) -> str:
    return f"{rating(prediction.text):g}" if prediction.valid else INVALID


def _is_rating_of(prediction: Prediction, gold: str) -> bool:
    return prediction.valid and rating(prediction.text) == rating(gold)


def _first_label(text: str, labels: Sequence[str]) -> str | None:
    """The label that stands first in the text, the longest of those that start together."""
    # LaMP-1's labels are "[1]" and "[2]"; where neither is there, 1 or (1) will do.
    for written in (str, lambda label: label.strip("[]")):
        found = [
            (match.start(), -len(label), label)
            for label in labels
            if (match := _as_word(written(label)).search(text))
        ]
        if found:
            return min(found)[2]
    return None


@cache
def _as_word(text: str) -> re.Pattern[str]:
    """A text that isn't part of a longer word, except in scripts without spaces."""
    letter, unspaced = rf"[^\W{UNSPACED}]", f"[{UNSPACED}]"
    before = "" if re.match(unspaced, text) else f"(?<!{letter})"
    after = "" if re.match(unspaced, text[-1:]) else f"(?!{letter})"
    return re.compile(f"{before}{re.escape(text)}{after}", re.IGNORECASE)


def _title(text: str, labels: Sequence[str]) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # An answer that was cut off after a lead has said nothing there.
    while lines and _LEAD.match(lines[-1]) and not _LEAD.sub("", lines[-1]).strip(_QUOTES):
        lines.pop()
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


def _short_answer(text: str, labels: Sequence[str]) -> str | None:
    """The answer in the first sentence, without what stands around it; `NO_ANSWER` of a refusal."""
    before, found = None, text
    while found != before:  # a step only takes away, so this ends
        before, found = found, _without_surroundings(found)
    if _REFUSAL.match(found.replace("’", "'").lstrip("([")):
        return NO_ANSWER
    return found or None


def _without_surroundings(text: str) -> str:
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if _unquote(line)]
    if not lines:
        return ""
    # What follows a question of the model's own is no answer to ours.
    own = next((i for i, line in enumerate(lines) if re.match(r"question\b", line, re.I)), None)
    led = next((i for i, line in enumerate(lines[:own]) if _ANSWER_LINE.match(_unquote(line))), 0)
    line = _unquote(lines[led])
    if line.endswith(":") and led + 1 < len(lines):
        line = _unquote(lines[led + 1])
    line = _NOTE.sub("", line).strip()
    for lead in (_SHORT_LEAD, _ANSWER_LINE):
        if found := lead.match(line):
            line = line[found.end() :] or line
    for end in _NEXT_SENTENCE.finditer(line):
        if not _ABBREVIATION.search(line[: end.start()]):
            line = line[: end.start()].removesuffix(".")
            break
    # The full stop of a sentence, but not of "U.S." or "Inc.".
    return _unquote(re.sub(r"(?:(?<=[^\W_]{4})|(?<=[\"”»)\]]))\.$", "", _CITATION.sub("", line)))


def _is_right_short(prediction: Prediction, gold: str) -> bool:
    return squad_tokens(prediction.text, gold) == squad_tokens(gold)


ANSWERS = {
    LABEL: AnswerKind(
        find=_first_label,
        is_valid=lambda prediction, labels: prediction in labels,
        flip_key=lambda prediction: prediction.text if prediction.valid else INVALID,
        is_right=lambda prediction, gold: prediction.text == gold.strip(),
    ),
    RATING: AnswerKind(
        find=_first_rating, is_valid=_is_rating, flip_key=_rating_key, is_right=_is_rating_of
    ),
    SHORT: AnswerKind(
        find=_short_answer,
        is_valid=lambda prediction, labels: bool(prediction),
        flip_key=lambda prediction: " ".join(squad_tokens(prediction.text)),
        is_right=_is_right_short,
    ),
    TEXT: AnswerKind(
        find=_title,
        is_valid=lambda prediction, labels: bool(prediction),
        flip_key=lambda prediction: " ".join(prediction.text.casefold().split()),
        is_right=None,
    ),
}
