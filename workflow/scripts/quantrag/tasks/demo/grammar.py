"""A small text generator: patterns with choices and slots, and the English that joins them.

A pattern is text with `[this|that|]` (one of the alternatives, which may nest) and `{slot}` (text
from a mapping, or one of a list there). Slots are expanded in turn, so their text may be a pattern.
"""

import random
import re
from collections.abc import Mapping, Sequence

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_ARTICLE = re.compile(r"\b([Aa]) (?=(\w[\w-]*))")
_FIRST_LETTER = re.compile(r"(?:^|(?<=[.!?] ))[a-z]")
# Spelled with a vowel but spoken with a consonant, and the other way round.
_SPOKEN_CONSONANT = re.compile(r"(?:uni(?!n)|us[eua]|eu|one|once|ut[io])", re.IGNORECASE)
_SPOKEN_VOWEL = re.compile(r"(?:hour|honest|heir)", re.IGNORECASE)
_SMALL_WORDS = frozenset(
    (
        "a",
        "an",
        "and",
        "at",
        "but",
        "by",
        "for",
        "from",
        "in",
        "of",
        "on",
        "or",
        "the",
        "to",
        "with",
    )
)

Slots = Mapping[str, str | Sequence[str]]


def expand(pattern: str, slots: Slots, rng: random.Random) -> str:
    """Fill in a pattern's choices and slots. Raises KeyError on an unknown slot."""
    while True:
        if match := _CHOICE.search(pattern):
            replacement = rng.choice(match[1].split("|"))
        elif match := _SLOT.search(pattern):
            value = slots[match[1]]
            replacement = value if isinstance(value, str) else rng.choice(value)
        else:
            return pattern
        pattern = pattern[: match.start()] + replacement + pattern[match.end() :]


def sentence(text: str) -> str:
    """Tidy spaces and articles ("a old" -> "an old"), and start every sentence with a capital."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r" ([,.;:!?])", r"\1", text)
    text = _ARTICLE.sub(lambda m: f"{m[1]}{'n' if _takes_an(m[2]) else ''} ", text)
    return _FIRST_LETTER.sub(lambda m: m[0].upper(), text)


def plural(noun_phrase: str) -> str:
    """Plural of a noun phrase whose last word forms it regularly."""
    if re.search(r"[^aeiou]y$", noun_phrase):
        return noun_phrase[:-1] + "ies"
    if re.search(r"(?:s|x|z|ch|sh)$", noun_phrase):
        return noun_phrase + "es"
    return noun_phrase + "s"


def title_case(text: str) -> str:
    """Capitals as in a title: "Learning to Rank: A Study". Words with capitals stay as they are."""
    words = text.split(" ")
    result: list[str] = []
    for i, word in enumerate(words):
        inside = 0 < i < len(words) - 1 and not result[-1].endswith((":", "?"))
        if word != word.lower() or (inside and word in _SMALL_WORDS):
            result.append(word)
        else:
            result.append("-".join(part[:1].upper() + part[1:] for part in word.split("-")))
    return " ".join(result)


def _takes_an(word: str) -> bool:
    if len(word) > 1 and word.isupper():
        return False  # invented names are spoken as words; they start with consonants
    if _SPOKEN_VOWEL.match(word):
        return True
    return word[0] in "aeiouAEIOU" and not _SPOKEN_CONSONANT.match(word)
