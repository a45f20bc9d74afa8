"""What every reader gives, and what readers share."""

import gzip
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quantrag.errors import UserError
from quantrag.scoring.metrics import recorded_key

#: Words in the name of a metric of which less is better, where its file doesn't say.
_LOWER = re.compile(
    r"(?:^|[^a-z])(?:perplexity|ppl|bits_per_byte|nll|brier|log_?loss|loss|errors?|wer|cer|ter|mae"
    r"|mse|rmse|latency|distance)(?:$|[^a-z])"
)


@dataclass(frozen=True)
class Record:
    """One answer to one item.

    Attributes:
        item: the item's id.
        where: the file and the record in it, for messages.
        text: the raw answer, or for choices by likelihood the chosen one; None where only scores
            were recorded.
        golds: the right answers; empty where the file has none.
        scores: per-item scores by the key of their metric
            (`quantrag.scoring.metrics.recorded_key`).
        input: the question as the reader of a report should see it.
        hashes: of what has to be the same for every system (document, prompt), by what it is.
        repetition: epoch or seed; every item has each of a file's repetitions once.
        cluster: what the item belongs to, where items aren't independent (a user); empty where
            every item stands for itself.
        prompt_tokens: length of the prompt; 0 where it isn't known.
        key: what two answers must share to count as the same, where the format knows; None for the
            text.
    """

    item: str
    where: str
    text: str | None = None
    golds: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    input: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict)
    repetition: str = ""
    cluster: str = ""
    prompt_tokens: int = 0
    key: str | None = None


def lower_is_better(name: str) -> bool:
    """Whether the name of a metric says that less is better ("word_perplexity")."""
    return _LOWER.search(name.lower()) is not None


def score_key(
    name: str, options: Mapping[str, Any], *, metric: str | None = None, higher: bool | None = None
) -> str:
    """The key of a recorded score, which says the way it improves.

    Args:
        name: of the score.
        options: `lower_is_better`, names of metrics of which less is better, comes first.
        metric: the name that the direction is looked up by, where that isn't `name`.
        higher: what the score's file says; None where it doesn't, and the metric's name decides.
    """
    metric = metric or name
    if metric in (options.get("lower_is_better") or []):
        higher = False
    elif higher is None:
        higher = not lower_is_better(metric)
    return recorded_key(name, higher_is_better=higher)


def number(value: Any) -> float | None:
    """A score as a number: true is 1; None for what is no finite number."""
    if isinstance(value, bool | int | float) and math.isfinite(value):
        return float(value)
    return None


def text_of(value: Any) -> str:
    """A value of a file as text: strings as they are, everything else as JSON has it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def golds_of(value: Any) -> tuple[str, ...]:
    """The golds in a value: a list has one each, everything else is one; null is none."""
    if value is None:
        return ()
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(text_of(gold) for gold in values)


def read_json(path: Path) -> Any:
    """Content of a JSON file (.gz too). Raises UserError when it is missing or isn't JSON."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            return json.load(file)
    except (OSError, EOFError) as error:
        raise UserError(f"{path}: {getattr(error, 'strerror', None) or error}.") from None
    except ValueError as error:
        raise UserError(f"{path}: not JSON ({error}).") from None


def wanted(record: Mapping[str, Any], key: str, where: str) -> Any:
    """A key that a record must have. Raises UserError where it hasn't."""
    try:
        return record[key]
    except KeyError:
        raise UserError(f"{where}: no {key!r}; it has {', '.join(record)}.") from None
