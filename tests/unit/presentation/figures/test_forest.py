"""Every comparison."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import figure_tables
from figure_drawing import draw
from quantrag.presentation.figures import forest


def test_each_comparison_has_its_marker_interval_and_row(demo):
    figure = draw("forest", demo)
    rows = demo["comparisons"]
    for axes, metric in zip(figure.axes, ("mae", "rougeL"), strict=True):
        own = rows[rows["metric"] == metric]
        points = [xy for line in axes.lines for xy in line.get_xydata().tolist()]
        assert sorted(x for x, _ in points) == pytest.approx(sorted(own["difference"]))
        assert len({y for _, y in points}) == len(own)


def test_many_models_stand_in_stacks_side_by_side():
    one = draw("forest", figure_tables.make(2, 1, 2, 2, 4))
    many = draw("forest", figure_tables.make(1, 8, 2, 3, 6))
    assert len(one.axes) == 2
    assert len(many.axes) > 1
    assert many.get_figwidth() > one.get_figwidth()


@given(st.floats(1e-6, 1e6))
def test_ticks_are_the_nice_number_below(value):
    tick = forest._nice(value)
    assert tick <= value * (1 + 1e-9)
    assert tick > value / 2.5 * (1 - 1e-9)
    assert f"{tick:e}"[0] in "125"
