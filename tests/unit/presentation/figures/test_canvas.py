"""Placing and fitting what a figure is made of."""

import pytest
from matplotlib.lines import Line2D

from quantrag.presentation.figures import style
from quantrag.presentation.figures.canvas import EDGE, Canvas


@pytest.fixture
def canvas():
    canvas = Canvas(4.0)
    canvas.set_height(2.0)
    return canvas


def test_axes_are_placed_in_inches_from_the_upper_left_corner(canvas):
    axes = canvas.figure.add_axes((0, 0, 1, 1))
    canvas.place(axes, x=1, y=0.5, width=2, height=1)
    assert axes.get_position().bounds == pytest.approx((0.25, 0.25, 0.5, 0.5))


def test_text_that_fits_stays_as_it_is(canvas):
    canvas.write(0.1, 0.1, "short", 2.0)
    (text,) = canvas.figure.texts
    assert (text.get_text(), text.get_fontsize()) == ("short", style.TEXT)
    assert text.get_position() == pytest.approx((0.025, 0.95))


def test_text_without_room_gets_smaller_then_loses_its_middle(canvas):
    words = "a name that is rather long"
    canvas.write(0, 0, words, 10.0)
    width = canvas.size(canvas.figure.texts[0])[0]
    canvas.write(0, 0, words, 0.95 * width)
    canvas.write(0, 0, words, 0.5 * width)
    _, smaller, shorter = canvas.figure.texts
    assert (smaller.get_text(), smaller.get_fontsize()) == (words, style.SMALL)
    begin, end = shorter.get_text().split("…")
    assert words.startswith(begin)
    assert words.endswith(end)
    assert canvas.size(shorter)[0] <= 0.5 * width


def test_a_legend_has_as_many_columns_as_fit(canvas):
    few = canvas.legend([Line2D([], [], label=name) for name in "abc"])
    assert few._ncols == 3
    many = canvas.legend([Line2D([], [], label=f"a long name, {n}") for n in range(8)])
    assert 1 < many._ncols < 8
    assert canvas.size(many)[0] <= 4 - 2 * EDGE
    assert canvas.legend([]) is None


def test_margins_are_what_the_labels_take(canvas):
    axes = canvas.figure.add_axes((0.3, 0.3, 0.5, 0.5))
    axes.set_yticks([0], ["0"])
    narrow, low = canvas.left_margin(axes), canvas.bottom_margin(axes)
    axes.set_yticks([0], ["a thousand"])
    axes.set_xlabel("k")
    assert canvas.left_margin(axes) > narrow + 0.2
    assert canvas.bottom_margin(axes) > low + 0.08
