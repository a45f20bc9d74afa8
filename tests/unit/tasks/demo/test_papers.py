"""Papers: titles follow their author's habit and say what the abstract says."""

import random
import re

import numpy as np

from demo_texts import all_texts
from quantrag.tasks.demo.grammar import plural
from quantrag.tasks.demo.papers import ABSTRACT_WORDS, HABITS, TOPICS, draw_author, write_paper


def test_a_paper_is_within_its_length_whoever_writes_it():
    rng = random.Random(0)
    smallest, largest = ABSTRACT_WORDS
    for _ in range(200):
        author = draw_author(rng)
        assert len(set(author.topics)) in (2, 3)
        abstract, title = write_paper(author, author.topics[0], rng)
        assert smallest <= len(abstract.split()) <= largest
        assert title


def test_every_field_has_phrases_to_choose_from():
    for topic, stock in TOPICS.items():
        assert all(len(texts) >= 4 for texts in stock.values()), topic
        assert all(len(set(texts)) == len(texts) for texts in stock.values()), topic
        for method in stock["methods"]:
            assert plural(method).endswith("s"), method


STYLE = {
    "name": r"[A-Z]{4,}: ",
    "lowercase name": r"[a-z]{4,}: ",
    "question": r".*\?$",
    "towards": r"Towards ",
    "on": r"On ",
    "gerund": r"(?!Revisiting|Rethinking)[A-Z][a-z]+ing ",
    "two words": r"(?!.*:)(\S+ ){1,5}\S+$",
    "article": r"An? ",
    "revisited": r"(Revisiting|Rethinking) ",
    "empirical study": r".*: an empirical study$",
    "from to": r"From .* to ",
    "lessons": r"(Two|Three|Four|Five|Six) ",
}


def test_title_habits_are_detectable(users):
    assert set(STYLE) == set(HABITS)
    everybody = users[5, "dev"] + users[5, "train"]
    assert len({user.habit for user in everybody}) >= 10
    for user in everybody:
        style = re.compile(
            STYLE[user.habit], re.IGNORECASE if user.habit == "empirical study" else 0
        )
        own = np.mean([bool(style.match(text.target)) for text in user.profile])
        others = np.mean(
            [
                bool(style.match(text.target))
                for other in everybody
                if other.habit != user.habit
                for text in other.profile
            ]
        )
        assert own >= 0.6, (user.habit, [text.target for text in user.profile])
        assert own > others + 0.3, user.habit


def content_words(text):
    return {w.rstrip("s") for w in re.findall(r"[a-z]{4,}", text.lower())}


def test_titles_tell_what_the_abstract_says(users):
    shares = []
    for text in all_texts(users[5, "dev"]):
        words = content_words(text.target)
        shares.append(len(words & content_words(text.text)) / len(words))
    assert np.mean(shares) > 0.75
