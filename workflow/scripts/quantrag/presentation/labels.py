"""How names, numbers and directions of the tables read in figures and publication tables."""

import re
from dataclasses import dataclass

from quantrag.errors import UserError
from quantrag.grid import K
from quantrag.names import NO_RETRIEVER, NOISE_FLOOR

_KNOWN_NAMES = {
    NO_RETRIEVER: "no retrieval",
    NOISE_FLOOR: "noise floor",
    "bm25": "BM25",
    "bm25-okapi": "BM25 (Okapi)",
    "bm25-characters": "BM25 (characters)",
    "contriever": "Contriever",
    "dpr": "DPR",
    "minilm": "MiniLM",
}
_PRECISION_WORD = re.compile(r"^(fp|bf|int|nf|kv|w|a)\d*(w\d+|a\d+)*$|^(gptq|awq|rtn|hqq)$", re.I)


@dataclass(frozen=True)
class Metric:
    """A metric as a reader knows it.

    Attributes:
        key: its name in the tables.
        label: its name in print.
        unit: unit of a value and of a difference, empty for a share or a score from 0 to 1.
        higher_is_better: direction of improvement.
        digits: decimals that a table shows.
    """

    key: str
    label: str
    unit: str
    higher_is_better: bool
    digits: int

    @property
    def direction(self) -> str:
        """The direction of improvement in words, with an arrow."""
        return "higher is better ↑" if self.higher_is_better else "lower is better ↓"

    @property
    def axis(self) -> str:
        """Label with its unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


# First the metrics that a task's figures show (the paper's: MAE for ratings, ROUGE-L for texts).
METRICS = {
    metric.key: metric
    for metric in (
        Metric("mae", "MAE", "rating points", False, 3),
        Metric("rougeL", "ROUGE-L", "", True, 3),
        Metric("accuracy", "Accuracy", "", True, 3),
        Metric("rmse", "RMSE", "rating points", False, 3),
        Metric("rouge1", "ROUGE-1", "", True, 3),
        Metric("f1", "Macro F1", "", True, 3),
    )
}


def metric(key: str) -> Metric:
    """The metric with this name in the tables. Raises UserError for an unknown one."""
    try:
        return METRICS[key]
    except KeyError:
        raise UserError(
            f"metric {key!r}: not known to the figures; known are {', '.join(METRICS)}."
        ) from None


def main_metric(keys: list[str]) -> Metric:
    """The metric that stands for a task in the figures: the first of `METRICS` among `keys`."""
    wanted = {metric(key).key for key in keys}
    return next(METRICS[key] for key in METRICS if key in wanted)


def k_axis(ks: list[str]) -> str:
    """Label of an axis of k, with a note on `max_nK` where there is one."""
    windows = [k.label for k in map(K.parse, ks) if k.fills]
    note = f" ({windows[0]}: all that fit in {windows[0]} tokens)" if windows else ""
    return f"Documents in the prompt, k{note}"


def name(text: str) -> str:
    """A task, model, precision or retriever in print; names that aren't known stay as they are."""
    if text in _KNOWN_NAMES:
        return _KNOWN_NAMES[text]
    words = text.split("-")
    if all(_PRECISION_WORD.match(word) for word in words):
        return " ".join(word.upper() for word in words)
    return text


def shorten(text: str, width: int) -> str:
    """`text` with its middle left out where it has more than `width` (at least 3) characters."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"
