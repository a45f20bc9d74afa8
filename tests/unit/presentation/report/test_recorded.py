"""Which recorded answers can be set side by side."""

import pandas as pd

from quantrag.presentation.data import OrderedNames
from quantrag.presentation.report.recorded import _complete_part

NAMES = OrderedNames(["t"], ["m", "n"], ["fp16", "int4"], ["bm25"], ["0", "1", "3"])


def answers(*systems, missing=()):
    """One answer of each system (model, precision, retriever, k); `missing` have only scores."""
    frame = pd.DataFrame(systems, columns=["model", "precision", "retriever", "k"])
    texts = [None if system in missing else "x" for system in systems]
    return frame.assign(query_id="q", text=texts)


def both(precision, retriever, k):
    return [(model, precision, retriever, k) for model in NAMES.models]


BASELINE = [*both("fp16", "none", "0"), *both("fp16", "bm25", "3"), *both("fp16", "bm25", "1")]


def test_cells_are_those_that_every_model_has_of_the_baseline():
    one = answers(*BASELINE[:-1], *both("int4", "none", "0"))
    assert _complete_part({"t": one}, NAMES) == ([("none", "0"), ("bm25", "3")], ["fp16"])


def test_precisions_are_those_that_have_every_cell_in_every_task():
    every = [(m, "int4", r, k) for m, _, r, k in BASELINE]
    part = both("noise-floor", "none", "0")
    tables = {"t": answers(*BASELINE, *every, *part), "u": answers(*BASELINE, *every)}
    cells = [("none", "0"), ("bm25", "1"), ("bm25", "3")]
    assert _complete_part(tables, NAMES) == (cells, ["fp16", "int4"])
    tables["u"] = answers(*BASELINE, *every, missing=[every[0]])
    assert _complete_part(tables, NAMES) == (cells, ["fp16"])


def test_scores_alone_leave_nothing_to_show():
    tables = {"t": answers(*BASELINE, missing=BASELINE)}
    assert _complete_part(tables, NAMES)[0] == []
