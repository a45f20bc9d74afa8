"""How names, numbers and directions of the tables read in figures and publication tables."""

import re

from quantrag.grid import K
from quantrag.names import NO_RETRIEVER, NOISE_FLOOR
from quantrag.scoring.evidence import ABSENT, INTERACTION, PRESENT
from quantrag.scoring.metrics import Metric as Metric
from quantrag.scoring.metrics import metric as metric

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
#: Of a comparison, in the order of legends and counts.
VERDICTS = ("worse", "better", "equivalent", "inconclusive")
#: Where the evidence stands in the prompt, in the order of figures; the last is how much the
#: differences with and without it differ.
EVIDENCE = {
    PRESENT: "in",
    "first": "first third",
    "middle": "middle third",
    "last": "last third",
    ABSENT: "not in",
    INTERACTION: "in − not in",
}
_PRECISION_WORD = re.compile(r"^(fp|bf|int|nf|kv|w|a)\d*(w\d+|a\d+)*$|^(gptq|awq|rtn|hqq)$", re.I)


def k_axis_label(ks: list[str]) -> str:
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
