"""Demo texts in the manner of LaMP-3: product reviews by people who rate by their own scale."""

import random
from dataclasses import dataclass

from quantrag.tasks.demo.grammar import expand, phrases, sentence
from quantrag.tasks.demo.products import PRODUCTS, fitting

REVIEW_WORDS = (25, 90)
# Share of reviews that are rated one star off the reviewer's own scale.
SLIP_SHARE = 0.08
SENTIMENTS = (1, 2, 3, 4, 5)
_SENTIMENT_WEIGHTS = (16, 16, 20, 24, 24)

# Stars that a reviewer gives for a text of sentiment 1..5. Reading a person's earlier reviews
# tells which scale is theirs; the text alone does not.
SCALES: dict[str, tuple[int, ...]] = {
    "plain": (1, 2, 3, 4, 5),
    "generous": (2, 3, 4, 5, 5),
    "enthusiast": (3, 4, 5, 5, 5),
    "strict": (1, 1, 2, 3, 4),
    "severe": (1, 1, 1, 2, 3),
    "all or nothing": (1, 1, 3, 5, 5),
    "cautious": (2, 2, 3, 4, 4),
}

_OPENERS = [
    "I bought this {product} {use}.",
    "{who} gave me this {product} [for my birthday|at Christmas|last month].",
    "We got the {product} {use}, [on the advice of a friend|after a long search].",
    "{occasion}. [So I|That is why I] ordered this {product}.",
    "{occasion}.",
    "This {product} has been in my hands for [two weeks|a month|half a year] now.",
    "[My third|My first|Another] {product}, [bought|meant] {use}.",
    "[After|With] [a dozen|a few dozen|many] uses I can say something about this {product}.",
    "Ordered on [Monday|Tuesday|a whim], arrived on [Friday|Thursday|time]: a {product} {use}.",
    "{who} wanted a {product} {use}, and we settled on this one.",
    "[I needed|I was looking for] a {product} {use}.",
    "A {product} {use} is not easy to find. {occasion}.",
    "I have [owned|tried] [three|four|a lot] of these, and {who} had [an opinion|doubts] about "
    "every one.",
]
_PARTS = {
    5: [
        "The {part} is {very} [good|impressive|well done].",
        "I could praise the {part} [for hours|all day].",
        "[Special mention|Full marks] for the {part}.",
        "{who} fell in love with the {part}.",
        "I have not seen a better {part} [in years|at twice the price].",
    ],
    4: [
        "The {part} is {very} [decent|pleasant].",
        "I like the {part}.",
        "The {part} [gives no cause for complaint|is better than expected].",
        "{who} [approved of|was happy with] the {part}.",
    ],
    2: [
        "The {part} could be better.",
        "The {part} is [a weak point|nothing special|somewhat disappointing].",
        "I had hoped for more from the {part}.",
        "{who} [only shrugged at|was not convinced by] the {part}.",
    ],
    1: [
        "The {part} is {very} [bad|poor].",
        "Who on earth [approved|tested] the {part}?",
        "The {part} is an insult.",
        "{who} laughed out loud at the {part}, and not kindly.",
        "Do not get me started on the {part}.",
    ],
}
_VERDICTS = {
    5: [
        "I would buy it again tomorrow.",
        "[Simply|Quite simply] the best {product} I have had.",
        "I recommend it to everybody[ who asks|, and so does {who}|].",
        "Worth every cent.",
        "I am {very} happy with it.",
        "A small miracle of a {product}.",
        "If it ever breaks, I will order the same one.",
        "[Nothing to complain about|No complaints at all], and that means something from me.",
        "It has made {who} {very} happy, and me too.",
        "[Perfect|Just perfect] {use}.",
    ],
    4: [
        "All in all a good buy.",
        "Not perfect, but I am glad to have it.",
        "[Small|Minor] things aside, I like it.",
        "I would recommend it with one small warning.",
        "A {very} good {product} with room for improvement.",
        "It comes close to what I was looking for.",
        "{who} and I agree: a good choice.",
        "Good value {use}.",
        "I am pleased on the whole.",
    ],
    3: [
        "It is all right.",
        "Neither good nor bad.",
        "It does what it must and no more.",
        "For the price it is acceptable, I suppose.",
        "{who} likes it more than I do.",
        "I have mixed feelings about this {product}.",
        "Average in every way.",
        "I will keep it, but I would look around next time.",
        "Fine {use}, but nothing more.",
        "Some days I like it and some days I don't.",
    ],
    2: [
        "I expected more.",
        "I would not buy it again.",
        "There are better ones for less money.",
        "A disappointment, even if not a complete one.",
        "{who} uses the old one again.",
        "I am {very} unimpressed.",
        "It will end up in the cellar sooner or later.",
        "Hard to recommend {use}.",
        "With a little more care this could have been a decent {product}.",
    ],
    1: [
        "Keep your money.",
        "It went straight back to the shop.",
        "The worst {product} I have ever owned.",
        "I am {very} angry about this purchase.",
        "Avoid it.",
        "It is in the bin now, where it belongs.",
        "Not even {who} could find a kind word for it.",
        "I want my money back.",
        "A complete waste {use} or anything else.",
        "Never again.",
    ],
}
_CONTRASTS = ["On the other hand,", "Still,", "That said,", "But", "Then again,", "However,"]
_LEVELS = ("praise", "liked", "gripes", "flaws")
_GOOD = ("praise", "liked", "part5", "part4")
# What a text of each sentiment is made of, besides opener and verdict.
_MATERIAL: dict[int, list[str]] = {
    5: [
        "praise praise part5",
        "praise part5 praise liked",
        "praise praise",
        "part5 praise liked",
        "praise liked part5 praise liked",
        "liked praise praise part5 but gripes",
    ],
    4: [
        "praise but gripes",
        "liked praise but gripes",
        "liked part4 praise",
        "part4 praise but gripes",
        "praise part4 liked but gripes",
        "liked liked part4 praise but gripes gripes",
    ],
    3: [
        "liked but gripes",
        "part4 but gripes part2",
        "liked liked but part2 gripes",
        "gripes but liked",
        "praise liked but gripes flaws",
        "gripes part2 but liked part4 liked",
    ],
    2: [
        "gripes flaws",
        "flaws but liked",
        "gripes part2 flaws",
        "part2 gripes but liked gripes",
        "gripes flaws part2 but liked",
        "liked but gripes part2 gripes flaws",
    ],
    1: [
        "flaws flaws",
        "flaws part1 flaws",
        "part1 flaws",
        "flaws gripes part1",
        "gripes flaws part1 flaws",
        "flaws part1 gripes flaws gripes",
    ],
}
_ASIDES = phrases(
    """Just my view; I am not a professional; Make of that what you will; Other people may see it
    differently; I paid for it myself; Your mileage may vary; Delivery was on time; I write few
    reviews; No photographs, sorry; Greetings from the coast; Thanks for reading; Written on my
    phone"""
)
_INTENSIFIERS = phrases(
    "really; truly; quite; seriously; honestly; genuinely; remarkably; extremely; rather; terribly"
)
_COMPANIONS = phrases(
    """my husband; my wife; my sister; my brother; my mother; our neighbour; my flatmate; my oldest
    son; my daughter; my aunt; a colleague; my boss; our landlady; my best friend"""
)


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
        intensifier=rng.choice(_INTENSIFIERS),
        companion=rng.choice(_COMPANIONS),
        aside=rng.choice(_ASIDES),
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

    opener, verdict = written(_OPENERS), written(_VERDICTS[sentiment])
    if reviewer.exclaims and sentiment in (1, 5):
        verdict = verdict.removesuffix(".") + "!"
    unused = {key: rng.sample(stock[key], len(stock[key])) for key in _LEVELS}
    good: list[str] = []
    bad: list[str] = []
    body: list[str] = []
    contrast = ""
    for item in rng.choice(_MATERIAL[sentiment]).split():
        if item == "but":
            contrast = rng.choice(_CONTRASTS)
            continue
        if item in _LEVELS:
            if not unused[item]:  # few phrases suit some products
                continue
            text = unused[item].pop() + "."
        else:
            text = written(_PARTS[int(item[-1])])
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


def _joined(contrast: str, text: str) -> str:
    """`text` after a word of contrast, with its first letter small unless it is "I"."""
    if text.startswith(("I ", "I'")):
        return f"{contrast} {text}"
    return f"{contrast} {text[0].lower()}{text[1:]}"
