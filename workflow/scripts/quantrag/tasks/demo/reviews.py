"""Demo texts in the manner of LaMP-3: product reviews by people who rate by their own scale."""

import random
from dataclasses import dataclass

from quantrag.tasks.demo.grammar import expand, sentence
from quantrag.tasks.demo.word_stock import read_stock

REVIEW_WORDS = (25, 90)
# Share of reviews that are rated one star off the reviewer's own scale.
SLIP_SHARE = 0.08
SENTIMENTS = (1, 2, 3, 4, 5)
_SENTIMENT_WEIGHTS = (16, 16, 20, 24, 24)

PRODUCTS: dict[str, dict[str, list[str]]] = read_stock("products")
_PATTERNS = read_stock("reviews")
# Stars that a reviewer gives for a text of sentiment 1..5. Reading a person's earlier reviews
# tells which scale is theirs; the text alone does not.
SCALES: dict[str, list[int]] = _PATTERNS["scales"]
_LEVELS = ("praise", "liked", "gripes", "flaws")
_GOOD = ("praise", "liked", "part5", "part4")


@dataclass(frozen=True)
class Reviewer:
    """What a person's reviews share: the products, the scale of stars, the manner of speaking."""

    topics: tuple[str, ...]
    scale: str
    intensifier: str
    companion: str
    aside: str
    layout: str  # prose, verdict first, or pros and cons
    exclaims: bool


def draw_reviewer(rng: random.Random) -> Reviewer:
    """A reviewer who buys products of two or three kinds."""
    return Reviewer(
        topics=tuple(rng.sample(list(PRODUCTS), rng.choice((2, 3)))),
        scale=rng.choice(list(SCALES)),
        intensifier=rng.choice(_PATTERNS["intensifiers"]),
        companion=rng.choice(_PATTERNS["companions"]),
        aside=rng.choice(_PATTERNS["asides"]),
        layout=rng.choice(("prose", "prose", "verdict first", "pros and cons")),
        exclaims=rng.random() < 0.3,
    )


def write_review(reviewer: Reviewer, topic: str, rng: random.Random) -> tuple[str, str]:
    """One review of a product of this kind: (text of 25-90 words, stars "1".."5")."""
    sentiment = rng.choices(SENTIMENTS, _SENTIMENT_WEIGHTS)[0]
    stars = SCALES[reviewer.scale][sentiment - 1]
    if rng.random() < SLIP_SHARE:
        stars = min(5, max(1, stars + rng.choice((-1, 1))))
    smallest, largest = REVIEW_WORDS
    while True:
        text = _review(reviewer, topic, sentiment, rng)
        if smallest <= len(text.split()) <= largest:
            return text, str(stars)


def _review(reviewer: Reviewer, topic: str, sentiment: int, rng: random.Random) -> str:
    product = rng.choice(PRODUCTS[topic]["products"])
    stock = {key: fitting(texts, product) for key, texts in PRODUCTS[topic].items()}
    slots = {
        "product": product,
        "use": rng.choice(stock["uses"]),
        "occasion": rng.choice(stock["occasions"]),
        "part": rng.choice(stock["parts"]),
        "very": reviewer.intensifier,
        "who": reviewer.companion,
    }

    def written(patterns: list[str]) -> str:
        return sentence(expand(rng.choice(patterns), slots, rng))

    opener, verdict = written(_PATTERNS["openers"]), written(_PATTERNS["verdicts"][sentiment])
    if reviewer.exclaims and sentiment in (1, 5):
        verdict = verdict.removesuffix(".") + "!"
    unused = {key: rng.sample(stock[key], len(stock[key])) for key in _LEVELS}
    good: list[str] = []
    bad: list[str] = []
    body: list[str] = []
    contrast = ""
    for item in rng.choice(_PATTERNS["material"][sentiment]).split():
        if item == "but":
            contrast = rng.choice(_PATTERNS["contrasts"])
            continue
        if item in _LEVELS:
            if not unused[item]:  # few phrases suit some products
                continue
            text = unused[item].pop() + "."
        else:
            text = written(_PATTERNS["parts"][int(item[-1])])
        (good if item in _GOOD else bad).append(text)
        body.append(_joined(contrast, text) if contrast else text)
        contrast = ""
    if reviewer.layout == "pros and cons" and good and bad:
        body = [f"Pros: {' '.join(good)} Cons: {' '.join(bad)}"]
    if reviewer.layout == "verdict first":
        parts = [verdict, opener, *body]
    else:
        parts = [opener, *body, verdict]
    if rng.random() < 0.4:
        parts.append(reviewer.aside + ".")
    return " ".join(parts)


def fitting(stock: list[str], product: str) -> list[str]:
    """The phrases that suit the product, without the parentheses that say so."""
    result = []
    for phrase in stock:
        products, closed, rest = phrase.removeprefix("(").partition(") ")
        if not closed:
            result.append(phrase)
        elif product in products.split(", "):
            result.append(rest)
    return result


def _joined(contrast: str, text: str) -> str:
    """`text` after a word of contrast, with its first letter small unless it is "I"."""
    if text.startswith(("I ", "I'")):
        return f"{contrast} {text}"
    return f"{contrast} {text[0].lower()}{text[1:]}"
