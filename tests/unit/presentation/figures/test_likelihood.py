"""Changed answers and scores against likelihoods, in print."""

import pytest

import figure_tables
from figure_drawing import draw


def test_marks_are_the_comparisons(demo):
    tables = figure_tables.with_likelihoods(demo)
    figure = draw("likelihood", tables)
    flips, scores = figure.axes
    rows = tables["comparisons"]
    main = rows[rows["metric"] == "rougeL"]
    points = [axes.lines[1] for axes in (flips, scores)]
    assert list(points[0].get_xdata()) == pytest.approx(list(-main["difference"] / 2))
    assert list(points[0].get_ydata()) == pytest.approx(list(main["flip_rate"]))
    assert list(points[1].get_ydata()) == pytest.approx(list(main["difference"]))


def test_without_likelihoods_the_figure_says_so(demo):
    figure = draw("likelihood", demo)
    assert [text.get_text() for text in figure.texts] == ["No likelihoods were measured."]
