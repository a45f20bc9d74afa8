"""Demo texts in the manner of LaMP-5: abstracts, and titles that follow their author's habit."""

import random
from dataclasses import dataclass

from quantrag.tasks.demo.grammar import expand, plural, sentence, title_case
from quantrag.tasks.demo.word_stock import read_stock

ABSTRACT_WORDS = (50, 110)
# Share of an author's titles that follow the habit; the rest are in a habit drawn at random.
HABIT_SHARE = 0.9

TOPICS: dict[str, dict[str, list[str]]] = read_stock("topics")
_PATTERNS = read_stock("papers")
# What a title looks like, by habit. An author has one.
HABITS: dict[str, list[str]] = _PATTERNS["habits"]

# Roles that carry words of the title stay; these go when an abstract is too long.
_OPTIONAL = ("closing", "detail", "finding", "cause")


@dataclass(frozen=True)
class Author:
    """What an author's papers share: the fields, the habit of titles, the order of abstracts."""

    topics: tuple[str, ...]
    habit: str
    title_case: bool
    orders: tuple[str, ...]


def draw_author(rng: random.Random) -> Author:
    """An author who works in two or three of the topics."""
    return Author(
        topics=tuple(rng.sample(list(TOPICS), rng.choice((2, 3)))),
        habit=rng.choice(list(HABITS)),
        title_case=rng.random() < 0.7,
        orders=tuple(rng.sample(_PATTERNS["orders"], 3)),
    )


def write_paper(author: Author, topic: str, rng: random.Random) -> tuple[str, str]:
    """One paper of the author on the topic: (abstract of 50-110 words, title)."""
    follows_habit = rng.random() < HABIT_SHARE
    habit = author.habit if follows_habit else rng.choice(list(HABITS))
    plan = _draw_plan(topic, rng)
    if habit in ("name", "lowercase name"):
        plan["system"] = plan[habit.replace(" ", "_")]
    return _abstract(author, plan, rng), _title(author, habit, plan, rng)


def _draw_plan(topic: str, rng: random.Random) -> dict[str, str]:
    """What the paper is about. Title and abstract are written from the same plan."""
    stock = TOPICS[topic]
    insights = rng.sample(stock["insights"], 2)
    steps = rng.sample(stock["steps"], 2)
    method = rng.choice(stock["methods"])
    name = rng.choice(_PATTERNS["names"])
    return {
        "task": rng.choice(stock["tasks"]),
        "problem": rng.choice(stock["problems"]),
        "method": method,
        "methods": plural(method),
        "data": rng.choice(stock["data"]),
        "measure": rng.choice(stock["measures"]),
        "objects": rng.choice(stock["objects"]),
        "cause": rng.choice(stock["causes"]),
        "insight": insights[0],
        "insight2": insights[1],
        "step": steps[0],
        "step2": steps[1],
        "quality": rng.choice(_PATTERNS["qualities"]),
        "name": name,
        "lowercase_name": name.lower(),
        "system": "",
        "n": rng.choice(("two", "three", "four", "five", "six")),
        "percent": str(rng.randint(2, 38)),
    }


def _abstract(author: Author, plan: dict[str, str], rng: random.Random) -> str:
    smallest, largest = ABSTRACT_WORDS
    roles = rng.choice(author.orders).split()
    while True:
        text = " ".join(_sentence_of(role, plan, rng) for role in roles)
        n_words = len(text.split())
        if smallest <= n_words <= largest:
            return text
        optional = [role for role in roles if role in _OPTIONAL]
        if n_words < smallest:
            roles.append("closing" if "closing" not in roles else "detail")
        elif optional:
            roles.remove(rng.choice(optional))


def _sentence_of(role: str, plan: dict[str, str], rng: random.Random) -> str:
    patterns = _PATTERNS["roles"][role]
    if role == "contribution" and plan["system"]:
        patterns = _PATTERNS["named_contributions"]
    return sentence(expand(rng.choice(patterns), plan, rng))


def _title(author: Author, habit: str, plan: dict[str, str], rng: random.Random) -> str:
    title = expand(rng.choice(HABITS[habit]), plan, rng)
    if author.title_case:
        title = title_case(title)
    title = sentence(title)
    return title[0].lower() + title[1:] if habit == "lowercase name" else title
