"""A demo set in LaMP's file layout: invented users with habits, and texts of our own.

It lets the whole workflow run without a download. Users differ in ways that retrieval can show to a
model: an author titles papers by one habit (LaMP-5), a reviewer rates by one scale (LaMP-3). Each
user writes about two or three topics and the query is about one of them, so that it matters which
documents are retrieved. Nothing about real models, people or products can be learned from it.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from quantrag.errors import UserError
from quantrag.tables import write_text
from quantrag.tasks.demo.papers import draw_author, write_paper
from quantrag.tasks.demo.reviews import draw_reviewer, write_review

# Ids of different splits differ by their first digits, as in LaMP's user-based splits.
_FIRST_ID = {"train": 100_000, "dev": 200_000, "test": 300_000}


@dataclass(frozen=True)
class Text:
    """A paper or a review: its topic, its text, and its title or rating."""

    topic: str
    text: str
    target: str


@dataclass(frozen=True)
class User:
    """A user with the held-out text that is asked about and the profile of earlier ones.

    `habit` is the habit of titles (LaMP-5) or the scale of ratings (LaMP-3). Like the topics of
    the texts it is known to tests and written to no file.
    """

    user_id: str
    habit: str
    query: Text
    profile: list[Text]


@dataclass(frozen=True)
class _Kind:
    """What makes a LaMP task: who writes, what they write and how the files hold it."""

    draw_person: Callable
    write: Callable
    habit_of: Callable[..., str]
    instruction: str
    text_key: str
    target_key: str


_KINDS = {
    3: _Kind(
        draw_person=draw_reviewer,
        write=write_review,
        habit_of=lambda person: person.scale,
        instruction="What is the score of the following review on a scale of 1 to 5? just answer "
        "with 1, 2, 3, 4, or 5 without further explanation. review: ",
        text_key="text",
        target_key="score",
    ),
    5: _Kind(
        draw_person=draw_author,
        write=write_paper,
        habit_of=lambda person: person.habit,
        instruction="Generate a title for the following abstract of a paper: ",
        text_key="abstract",
        target_key="title",
    ),
}


def demo_users(
    lamp: int,
    split: str,
    n_users: int = 24,
    profile_sizes: tuple[int, int] = (8, 40),
    seed: int = 0,
) -> list[User]:
    """Draw the users of one split, with all that they write.

    A user's texts depend on the seed, the split and the user's number, so asking for more users
    leaves the first ones as they are. No text occurs twice in a split.

    Args:
        lamp: 3 or 5.
        split: "train", "dev" or "test": different users.
        n_users: how many users; each has one query.
        profile_sizes: fewest and most documents of a profile.
        seed: of everything.

    Raises:
        UserError: no demo set of that LaMP task, or the profile sizes are in the wrong order.
    """
    if lamp not in _KINDS:
        raise UserError(
            f"tasks: there is no demo set in the layout of LaMP-{lamp}. Allowed: "
            f"{', '.join(map(str, _KINDS))}."
        )
    smallest, largest = profile_sizes
    if smallest > largest:
        raise UserError(
            f"tasks: source: smallest_profile is {smallest}; allowed: at most largest_profile, "
            f"which is {largest}."
        )
    kind = _KINDS[lamp]
    seen: set[str] = set()
    users = []
    for number in range(n_users):
        rng = random.Random(f"LaMP-{lamp} {split} {seed} {number}")
        person = kind.draw_person(rng)
        write = partial(_write_new, partial(kind.write, person), seen=seen, rng=rng)
        query_topic = rng.choice(person.topics)
        n_documents = rng.randint(smallest, largest)
        # A third of the profile, and something in any case, is about the query's topic.
        others = [topic for topic in person.topics if topic != query_topic]
        n_same = max(1, round(n_documents * rng.uniform(0.25, 0.45)))
        topics = [query_topic] * n_same + rng.choices(others, k=n_documents - n_same)
        rng.shuffle(topics)
        users.append(
            User(
                user_id=str(_FIRST_ID[split] + number),
                habit=kind.habit_of(person),
                query=write(query_topic),
                profile=[write(topic) for topic in topics],
            )
        )
    return users


def demo_split(
    lamp: int,
    split: str,
    n_users: int = 24,
    profile_sizes: tuple[int, int] = (8, 40),
    seed: int = 0,
) -> tuple[list[dict], dict]:
    """The users of `demo_users` (same arguments) in LaMP's layout: (questions, outputs).

    Profile ids count from 1 for every user, so they are unique only inside a profile.
    """
    kind = _KINDS.get(lamp)
    users = demo_users(lamp, split, n_users, profile_sizes, seed)
    questions = [
        {
            "id": user.user_id,
            "input": kind.instruction + user.query.text,
            "profile": [
                {"id": str(i), kind.text_key: text.text, kind.target_key: text.target}
                for i, text in enumerate(user.profile, start=1)
            ],
        }
        for user in users
    ]
    golds = [{"id": user.user_id, "output": user.query.target} for user in users]
    return questions, {"task": f"LaMP_{lamp}", "golds": golds}


def write_split(
    questions: list[dict], outputs: dict, questions_path: str | Path, outputs_path: str | Path
) -> None:
    """Write the two files of a split, each whole or not at all."""
    for content, path in ((questions, questions_path), (outputs, outputs_path)):
        write_text(json.dumps(content, ensure_ascii=False), path)


def _write_new(write: Callable, topic: str, seen: set[str], rng: random.Random) -> Text:
    """A text that isn't in `seen` yet, which it joins."""
    while True:
        text, target = write(topic, rng)
        if text not in seen:
            seen.add(text)
            return Text(topic, text, target)
