"""Changed answers."""

import pytest

import figure_tables
from figure_drawing import DEMO, draw


def test_lines_are_the_flip_rates_from_zero(demo):
    figure = draw("flips", demo)
    rows = demo["comparisons"]
    own = rows[(rows["metric"] == "mae") & rows["retriever"].isin(["none", "bm25"])]
    (line,) = figure.axes[0].lines
    assert sorted(line.get_ydata()) == pytest.approx(sorted(own["flip_rate"]))
    assert {axes.get_ylim()[0] for axes in figure.axes} == {0}


def test_the_noise_floor_is_drawn_where_it_was_run(demo):
    def entries(tables):
        return [text.get_text() for text in draw("flips", tables).legends[0].get_texts()]

    assert "noise floor" in entries(demo)
    assert "noise floor" not in entries(figure_tables.make(*DEMO, noise=False))
