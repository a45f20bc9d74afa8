"""Demo texts in the manner of LaMP-5: abstracts, and titles that follow their author's habit."""

import random
from dataclasses import dataclass

from quantrag.demo_grammar import expand, phrases, plural, sentence, title_case
from quantrag.demo_topics import TOPICS

ABSTRACT_WORDS = (50, 110)
# Share of an author's titles that follow the habit; the rest are in a habit drawn at random.
HABIT_SHARE = 0.9

# What a title looks like, by habit. An author has one.
HABITS: dict[str, list[str]] = {
    "name": [
        "{name}: {methods} for {task}",
        "{name}: [handling|coping with|taming] {problem} in {task}",
        "{name}: a {quality} {method} for {task}",
        "{name}: {quality} {task} [with|through] {methods}",
    ],
    "lowercase name": [
        "{lowercase_name}: {methods} for {task}",
        "{lowercase_name}: {quality} {task} despite {problem}",
        "{lowercase_name}: a {quality} {method} for {task}",
    ],
    "question": [
        "[do|can] {methods} help with {problem}?",
        "can {methods} cope with {problem} in {task}?",
        "how much do {problem} matter in {task}?",
        "what do {data} tell us about {problem}?",
        "when do {methods} fail in {task}?",
        "are {methods} enough for {quality} {task}?",
    ],
    "towards": [
        "towards {quality} {task}",
        "towards {quality} {task} with {methods}",
        "towards {task} without {problem}",
        "towards {quality} {methods} for {task}",
    ],
    "on": [
        "on the [role|effect|cost] of {problem} in {task}",
        "on the [use|limits|value] of {methods} in {task}",
        "on {measure} and {problem} in {task}",
        "on {quality} {methods} for {task}",
    ],
    "gerund": [
        "[handling|reducing|overcoming|predicting] {problem} in {task} with {methods}",
        "improving {measure} in {task} with {methods}",
        "learning from {data} for {quality} {task}",
        "combining {methods} with {data} for {task}",
        "[understanding|measuring] {problem} in {task}",
    ],
    "two words": [
        "{quality} {methods}",
        "{problem} and {methods}",
        "{methods} against {problem}",
    ],
    "article": [
        "a {quality} {method} for {task}",
        "a {method} approach to {problem} in {task}",
        "a [study|taxonomy|theory] of {problem} in {task}",
        "a {method} that handles {problem}",
    ],
    "revisited": [
        "[revisiting|rethinking] {methods} for {task}",
        "[revisiting|rethinking] {problem} in {task}",
        "rethinking {measure} in {task}",
        "revisiting {data} for {quality} {task}",
    ],
    "empirical study": [
        "{methods} for {task}: an empirical study",
        "{problem} in {task}: an empirical study",
        "{methods} and {problem}: an empirical study",
    ],
    "from to": [
        "from {problem} to {measure}: {methods} for {task}",
        "from {data} to {quality} {task}",
        "from {data} to {methods}: {quality} {task}",
    ],
    "lessons": [
        "[three|four|five|six] lessons from {data} for {task}",
        "[three|four|five] [facts|myths] about {problem} in {task}",
        "[two|three|four] ways to use {methods} for {task}",
    ],
}

_QUALITIES = phrases(
    """robust; efficient; scalable; interpretable; lightweight; adaptive; reliable; frugal; modular;
    incremental; transparent; fault-tolerant; affordable; uncertainty-aware"""
)
_NAMES = phrases(
    """BRAMBLE; HERON; KESTREL; LATTE; MOSAIC; TILIA; PUFFIN; SAFFRON; BEACON; COMET; DRIFT; FALCON;
    GINKGO; HARBOR; JUNIPER; LANTERN; MAGNOLIA; NIMBUS; PEBBLE; QUARTZ; RIPPLE; SPARROW; TUNDRA;
    VELVET; WALNUT; ZEPHYR; CEDAR; DAHLIA; FJORD; MARBLE; PRISM; RAVEN; SEXTANT; TOPAZ; WILLOW;
    BADGER; CRICKET; GROTTO; MEADOW; THISTLE"""
)

# Sentences by their role. Each role's first requirement is the part of the paper's plan that it
# brings in, so that every word of a title also stands in the abstract.
_GAPS = [  # the problem
    "[Existing|Earlier|Most] [approaches|systems] treat {problem} as noise.",
    "Yet {problem} [remain|are still] [a headache|an obstacle|poorly understood] in {task}.",
    "[Current|Common] tools break down when {problem} [appear|pile up|come together].",
    "We [estimate|found in a survey] that {problem} account for [a third|a quarter|nearly half] "
    "of all failures in {task}.",
    "[Little|Surprisingly little] is known about {problem} and their effect on {measure}.",
    "In practice, {problem} decide whether a system is used or switched off.",
    "The textbooks mention {problem} in passing, if at all.",
    "Ever larger models have not made {problem} go away.",
    "[Practitioners|Users] complain about {problem} more than about anything else.",
    "The usual answer to {problem} is to collect more {objects}, which is slow and costly.",
    "Of all the difficulties of {task}, {problem} are the one that [money cannot solve|resists].",
    "Benchmarks for {task} [leave out|avoid] {problem}, and so do most papers.",
    "Much has been written about {task}, but {problem} [rarely appear|play a minor part] in it.",
    "What makes {task} difficult is not its scale but [the matter of|a handful of] {problem}.",
    "[Anyone|Everyone] who has [worked on|tried] {task} has met {problem}.",
    "With {problem}, even [recent|well tuned] systems [fail|lose most of their advantage].",
]
_NAMED_CONTRIBUTIONS = [  # the same with the system's name
    "We [present|propose|introduce|release] {system}, a {quality} {method} for {task}.",
    "This [paper|article] [describes|presents] {system}, a {quality} {method} for {task}.",
    "{system} is a {quality} {method} that we [built|designed] for {task}.",
    "Our answer is called {system}: {quality} {task} by means of {methods}.",
    "With {system}, we bring {quality} {methods} to {task}.",
    "[Here we describe|This is the first report on] {system}, which uses {methods} for {quality} "
    "{task}.",
]
_CONTRIBUTIONS = [  # the method, the task and the quality
    "We [present|propose|introduce] a {quality} {method} for {task}.",
    "This [paper|article] [describes|develops] a {quality} {method} for {task}.",
    "This paper asks [how far|whether] {methods} can carry {quality} {task}.",
    "We [return to|revisit] {methods} and make them {quality} enough for {task}.",
    "Here, a {quality} {method} is [built|designed] for {task} from the ground up.",
    "Our answer is a {quality} {method}, made for {task} and tested in daily use.",
    "[In this work|Here], {methods} are used for {quality} {task} for the first time.",
    "We [argue|show] that {quality} {task} is within reach once {methods} are used with care.",
    "What would {quality} {task} look like? We [give|offer] one answer, built on {methods}.",
    "The [idea|claim] of this paper is simple: {methods} make {task} more {quality}.",
    "[Starting from|Building on] {methods}, we work out a {quality} [approach|solution] to {task}.",
    "Can {task} be made more {quality}? We [study|explore] {methods} as a way to get there.",
    "[Two|Three] years of work on {task} went into the {quality} {method} that we [present|report] "
    "here.",
    "We combine what is known about {methods} into one {quality} [tool|recipe] for {task}.",
]
_STEPS = [  # what the method does
    "[The|Our] {method} {step}.",
    "In short, [the method|the system] {step}.",
    "At its core, the {method} {step}.",
    "The system {step}[, then {step2}|].",
    "[The method|Our system] {step}, and in a second pass it {step2}.",
    "Unlike [its predecessors|earlier systems], ours {step}.",
    "For [each|every one] of the {objects}, the {method} {step}.",
    "[Where others guess|Instead of guessing], our system {step}.",
    "There are two parts: the first {step}, the second {step2}.",
    "[The trick is easily told|The principle is old]: the {method} {step}.",
    "During operation, the {method} {step}; when in doubt, it {step2}.",
]
_DETAILS = [  # nothing that a title needs
    "No [labels|hand-written rules|special hardware] [are|is] needed.",
    "The whole system fits on a [laptop|single board computer|telephone] and needs no tuning.",
    "A short proof shows that the procedure always stops.",
    "The [cost|running time] grows only linearly with the number of {objects}.",
    "Two [small|simple] design choices turn out to matter: the order of the {objects} and the "
    "choice of the loss.",
    "An optional step lets experts correct single {objects} by hand.",
    "[Training|Setting it up] takes [an hour|an afternoon|one night] on ordinary equipment.",
    "All parameters can be set from [a handful of|twenty|fifty] {objects}.",
    "Where {objects} are scarce, a simpler variant [does as well|suffices].",
    "We also describe two ideas that did not work.",
]
_EVALUATIONS = [  # the data
    "[We evaluate it|We test it|It is evaluated] on {n} collections of {data}.",
    "[Experiments|Trials] with {data} [cover|span] {n} years and {n} countries.",
    "The evidence comes from {data} and from {n} weeks of use in the field.",
    "We compare {n} systems on {data}, with and without {problem}.",
    "A [new|public] collection of {data} [accompanies|comes with] this paper.",
    "All experiments use {data} that [were never seen in training|others can obtain].",
    "{n} [independent teams|groups of students] repeated the experiments with {data}.",
    "On {data}, we measure {measure} before and after the change.",
    "To test the idea we turn to {data}, [where errors are costly|which are messy by nature].",
    "For the evaluation, {data} were [split by year|collected in {n} cities|labelled twice].",
    "[Results|Measurements] on {data} are given for {n} [settings|seasons|sizes of the system].",
    "[Having no good benchmark|As a benchmark], we use {data} from {n} sources.",
]
_RESULTS = [  # the measure
    "{measure} [improves|changes for the better] by {percent} percent over [a strong baseline|"
    "the best earlier system].",
    "We report gains of {percent} percent in {measure}[, at half the cost|, with less training|].",
    "[The effect on|The gain in] {measure} is [small but steady|largest for the hardest "
    "{objects}|clear in all settings].",
    "In terms of {measure}, it [matches|equals] systems that are {n} times as large.",
    "{measure} stays [within {percent} percent of|close to] what experts achieve.",
    "The comparison favours the simpler variant, whose {measure} is {percent} percent better.",
    "With {problem} in the data, {measure} hardly [suffers|changes].",
    "Averaged over all runs, {measure} is {percent} percent better than [before|without it].",
    "[A panel of experts|An outside group] confirmed the progress in {measure}.",
    "[Only one|No] earlier system reaches the same {measure}[, and it is far slower|].",
]
_FINDINGS = [  # lore of the field
    "[The|Our] results [show|suggest|indicate] that {insight}.",
    "We [find|observe] that {insight}.",
    "[Unexpectedly|To our surprise], {insight}.",
    "[An error analysis|A closer look] reveals that {insight}.",
    "Among the lessons: {insight}, and {insight2}.",
    "One finding [stands out|deserves attention]: {insight}.",
    "[Interviews with users|Follow-up trials] confirm that {insight}.",
    "It also turns out that {insight}.",
    "[Looking back|On reflection], {insight}.",
    "[Contrary to common belief|As some had suspected], {insight}.",
    "We learned that {insight}, and that {insight2}.",
]
_CLOSINGS = [
    "[Code and data are|The code is] [freely available|published with the paper].",
    "We [close|end] with [advice for practitioners|open questions|a list of failures].",
    "The method is now in daily use at [two|three] sites.",
    "Limits of the study, above all its [size|length|narrow choice of {objects}], are discussed.",
    "We hope that others will [try to break it|build on it].",
    "What remains open is [the behaviour over years|how to choose the {objects}].",
    "[Extensions to|Consequences for] neighbouring fields are sketched.",
    "A [demonstration|short film] is [available|shown at the conference].",
]
_ROLES = {
    "cause": ["{cause}."],
    "gap": _GAPS,
    "contribution": _CONTRIBUTIONS,
    "step": _STEPS,
    "detail": _DETAILS,
    "evaluation": _EVALUATIONS,
    "result": _RESULTS,
    "finding": _FINDINGS,
    "closing": _CLOSINGS,
}
_ORDERS = [
    "cause gap contribution step evaluation result finding closing",
    "gap cause contribution step detail evaluation result finding",
    "contribution step gap evaluation result finding closing",
    "cause contribution gap step evaluation finding result closing",
    "gap contribution cause step evaluation result closing",
    "contribution cause gap step detail evaluation result finding",
]
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
        orders=tuple(rng.sample(_ORDERS, 3)),
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
    name = rng.choice(_NAMES)
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
        "quality": rng.choice(_QUALITIES),
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
        if n_words > largest:
            optional = [role for role in roles if role in _OPTIONAL]
            roles.remove(rng.choice(optional)) if optional else None
        else:
            roles.append("closing" if "closing" not in roles else "detail")


def _sentence_of(role: str, plan: dict[str, str], rng: random.Random) -> str:
    patterns = _ROLES[role]
    if role == "contribution" and plan["system"]:
        patterns = _NAMED_CONTRIBUTIONS
    return sentence(expand(rng.choice(patterns), plan, rng))


def _title(author: Author, habit: str, plan: dict[str, str], rng: random.Random) -> str:
    title = expand(rng.choice(HABITS[habit]), plan, rng)
    if author.title_case:
        title = title_case(title)
    title = sentence(title)
    return title[0].lower() + title[1:] if habit == "lowercase name" else title
