"""Panels, and the lines and bands in them."""

import pandas as pd
import pytest

from quantrag.presentation.figures import lines, style


def test_models_are_rows_and_retrievers_columns():
    block, places = lines.block("T", "MAE", ["m", "n"], ["bm25", "dpr"], "k")
    assert (block.title, block.headers) == ("T", ["m", "n"])
    assert block.panels == [["BM25", "DPR"], [None, None]]
    assert places == [
        *[(0, 0, "m", "bm25"), (0, 1, "m", "dpr")],
        *[(1, 0, "n", "bm25"), (1, 1, "n", "dpr")],
    ]


def test_a_single_model_stands_in_the_title():
    block, places = lines.block("T", "MAE", ["m"], ["bm25", "dpr"], "k")
    assert (block.title, block.headers, block.panels) == ("T: m", [None], [["BM25", "DPR"]])
    assert places == [(0, 0, "m", "bm25"), (0, 1, "m", "dpr")]


def test_models_of_a_single_retriever_stand_side_by_side_in_even_rows():
    block, places = lines.block("T", "MAE", list("abcdef"), ["bm25"], "k")
    assert block.title == "T: BM25"
    assert block.panels == [list("abc"), list("def")]
    assert block.share_y == "block"
    assert places[3] == (1, 0, "d", "bm25")


def test_each_k_has_a_place(axes):
    lines.k_axis(axes, ["0", "3", "max_4K"])
    assert axes.get_xlim() == pytest.approx((-0.45, 2.45))
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "3", "4K"]


@pytest.fixture
def axes():
    return style.new_figure(3, 2).add_subplot()


@pytest.fixture
def rows():
    return pd.DataFrame(
        {"x": [0, 1], "value": [1.0, 2.0], "ci_low": [0.5, 1.5], "ci_high": [1.5, 2.5]}
    )


def test_a_line_has_its_interval_as_a_band(axes, rows):
    lines.line(axes, rows, style.precision_styles(["fp16"])["fp16"], "value")
    assert axes.lines[0].get_xydata().tolist() == [[0, 1], [1, 2]]
    (band,) = axes.collections
    corners = {tuple(point) for point in band.get_paths()[0].vertices}
    assert corners == {(0, 0.5), (0, 1.5), (1, 1.5), (1, 2.5)}


def test_whiskers_go_from_end_to_end(axes, rows):
    lines.whiskers(axes, rows, style.precision_styles(["fp16"])["fp16"], "value", thin=True)
    assert [s.tolist() for s in axes.collections[0].get_segments()] == [
        [[0, 0.5], [0, 1.5]],
        [[1, 1.5], [1, 2.5]],
    ]
    assert axes.lines[0].get_linewidth() == 0.7


def test_lines_of_a_panel_stand_apart_around_their_k():
    assert [lines.apart(place, 3) for place in range(3)] == pytest.approx([-1 / 6, 0, 1 / 6])
    assert lines.apart(0, 1) == 0


def test_a_band_is_flat_beyond_the_first_and_last_k():
    x, heights = lines.stretch(pd.Series([2.0, 5.0], index=[1, 3]))
    assert x == [0.55, 1, 3, 3.45]
    assert heights == [2, 2, 5, 5]
    assert lines.stretch(pd.Series(dtype=float)) == ([], [])


def test_the_axis_begins_at_zero(axes):
    axes.plot([0, 1], [5, 10])
    top = axes.get_ylim()[1]
    lines.from_zero(axes)
    assert axes.get_ylim() == pytest.approx((0, 1.03 * top))


def test_entries_of_a_legend_name_what_they_stand_for():
    looks = style.precision_styles(["fp16", "int4-awq"])
    entries = [
        *lines.legend(["fp16", "int4-awq"], looks),
        *[lines.band_entry(0.95), lines.whisker_entry(0.9), lines.noise_entry()],
    ]
    assert [entry.get_label() for entry in entries] == [
        *["FP16", "INT4 AWQ", "95% interval", "90% interval", "noise floor"],
    ]
