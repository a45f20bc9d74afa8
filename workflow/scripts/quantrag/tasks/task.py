"""What a task is: everything that the stages know of it, whatever its data come from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from quantrag.errors import UserError
from quantrag.tasks.answers import ANSWERS, GENERAL_RULES, Prediction

#: What a query searches: the documents of its own profile, or a corpus that all queries share (the
#: id of that one scope in the tables is `CORPUS` too).
PROFILE, CORPUS = "profile", "corpus"


class Cluster(NamedTuple):
    """What statistics resample, in words: queries of one cluster aren't independent."""

    singular: str
    plural: str


@dataclass(frozen=True)
class Task:
    """A task of an experiment.

    Attributes:
        name: its name in the configuration and in the tables.
        dataset: the data set in general ("LaMP-3"), under which prompt styles and
            config/estimate.yaml know it.
        scope: `PROFILE` or `CORPUS`.
        answer: kind of answer, a key of `quantrag.tasks.answers.ANSWERS`.
        labels: every answer that is allowed, where they are a fixed set; else empty.
        cluster: what statistics resample.
        target_is_searched: whether a document's target (title, tag) joins its text where the
            configuration leaves the searched text to the task.
        rules: parsing rules of this data set beside the `GENERAL_RULES`, by name: each maps a
            model's raw text to the prediction.
    """

    name: str
    dataset: str
    scope: str
    answer: str
    cluster: Cluster
    labels: tuple[str, ...] = ()
    target_is_searched: bool = False
    rules: Mapping[str, Callable[[str], str]] = field(default_factory=dict)

    def parse(self, text: str, rule: str) -> Prediction:
        """Read the prediction from a model's raw answer.

        Args:
            text: the raw answer.
            rule: `lenient`, `strict`, or one of the task's own `rules`.

        Raises:
            UserError: the task has no such rule.
        """
        self.check_rule(rule)
        kind = ANSWERS[self.answer]
        if rule in self.rules:
            prediction = self.rules[rule](text)
        elif rule == "strict":
            prediction = text.strip()
        else:
            prediction = kind.find(text, self.labels)
            if prediction is None:
                return Prediction(text.strip(), valid=False, found=False)
        return Prediction(prediction, kind.is_valid(prediction, self.labels))

    def check_rule(self, rule: str) -> None:
        """Raise UserError where the task has no such parsing rule."""
        known = [*GENERAL_RULES, *self.rules]
        if rule not in known:
            raise UserError(
                f"scoring.parsing: the task {self.name!r} has no rule {rule!r}. "
                f"Allowed: {', '.join(known)}."
            )

    def flip_key(self, prediction: Prediction) -> str:
        """What two answers must share to count as the same answer.

        A rating's number, a label, a text without regard to case and white space; all invalid
        ratings and labels are one answer.
        """
        return ANSWERS[self.answer].flip_key(prediction)

    def is_right(self, prediction: Prediction, golds: Sequence[str]) -> bool | None:
        """Whether a prediction equals a gold; None where answers are a matter of degree."""
        is_right = ANSWERS[self.answer].is_right
        return None if is_right is None else any(is_right(prediction, gold) for gold in golds)
