"""No text of any figure is cut, too small or meets another."""

import itertools
import os

import numpy as np
import pytest

import figure_tables
import figure_text
from figure_drawing import DEMO, PAPER, draw, drawable
from quantrag.presentation.catalogue import FIGURES

# tasks, models, precisions, retrievers, ks
SIZES = [DEMO, (1, 1, 2, 1, 1), (1, 8, 2, 1, 8), (1, 1, 6, 4, 8), (1, 8, 6, 4, 8)]
# All 32 corners take many minutes: QUANTRAG_ALL_CORNERS=1 draws them, otherwise the largest.
ALL_CORNERS = list(itertools.product((1, 2), (1, 8), (2, 6), (1, 4), (1, 8)))
CORNERS = [PAPER, *(ALL_CORNERS if os.environ.get("QUANTRAG_ALL_CORNERS") else ALL_CORNERS[-1:])]


def check(name, size, **options):
    if drawable(name, size):
        assert figure_text.problems(draw(name, figure_tables.make(*size, **options))) == []


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_no_text_is_cut_or_meets_another(name, size):
    check(name, size)


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("size", CORNERS, ids=str)
def test_no_text_is_cut_or_meets_another_at_any_corner(name, size):
    check(name, size, noise=False, energy=False, seed=1)


def test_the_check_of_texts_sees_cut_small_and_meeting_texts(demo):
    figure = draw("k_sweep", demo)
    figure.text(0.99, 0.5, "too far right")
    figure.text(0.5, 0.001, "tiny", fontsize=4)
    figure.axes[0].set_title("a title where the panel's own one is")
    figure.text(0.5, 0.5, "one")
    figure.text(0.5, 0.5, "two")
    figure.axes[0].set_ylim(0, 0.1)
    found = "\n".join(figure_text.problems(figure))
    for word in ("cut: 'too far", "too small: 'tiny", "meet: 'one' and 'two'", "leaves its panel"):
        assert word in found


def test_holes_in_the_tables_leave_gaps(demo):
    tables = {name: table.copy() for name, table in demo.items()}
    missing = (tables["scores"]["precision"] == "int4-awq") & (tables["scores"]["k"] == "2")
    tables["scores"] = tables["scores"][~missing]
    tables["comparisons"] = tables["comparisons"][tables["comparisons"]["k"] != "2"]
    tables["scores"].loc[tables["scores"].index[:3], ["value", "ci_low", "ci_high"]] = np.nan
    tables["comparisons"].loc[tables["comparisons"].index[:5], "margin"] = np.nan
    tables["costs"].loc[0, "output_tokens_per_s"] = np.nan
    for name in FIGURES:
        assert figure_text.problems(draw(name, tables)) == []


def test_only_the_baseline(demo):
    tables = dict(demo)
    tables["comparisons"] = demo["comparisons"].iloc[:0]
    tables["scores"] = demo["scores"][demo["scores"]["precision"] == "fp16"]
    tables["costs"] = demo["costs"][demo["costs"]["precision"] == "fp16"]
    for name in ("k_sweep", "quality_cost", "retrievers_compared"):
        assert figure_text.problems(draw(name, tables)) == []


def test_only_k_zero():
    tables = figure_tables.make(2, 2, 2, 1, 1)
    for name in ("k_sweep", "quantization_gap", "forest", "flips", "quality_cost"):
        figure = draw(name, tables)
        assert figure_text.problems(figure) == []
    assert "no retrieval" in " ".join(t.get_text() for t in draw("k_sweep", tables).texts)


def test_names_are_text_and_long_ones_are_shortened(demo):
    name = "a$b_{c}$-<x>&" + "m" * 60
    for figure in FIGURES:
        tables = {
            key: table.replace(
                {"Llama-2-7b-chat": name, "contriever": "r" * 60, "int4-awq": "p" * 60}
            )
            for key, table in demo.items()
        }
        assert figure_text.problems(draw(figure, tables)) == []
