"""Lines with intervals over k, and the sheet of panels that they stand in."""

import math
from collections.abc import Sequence

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from quantrag.grid import K
from quantrag.names import NOISE_FLOOR
from quantrag.presentation import labels
from quantrag.presentation.figures import style
from quantrag.presentation.figures.layout import Block

MOST_BANDS = 3  # more bands than that cover each other; then the intervals are drawn as whiskers
WRAP = 4  # most panels in a row where a block has only one kind of them
SPREAD = 0.5  # how far the lines of a panel stand apart, of the distance between two k


def block(
    title: str, subtitle: str, models: Sequence[str], columns: Sequence[str], x_label: str
) -> tuple[Block, list[tuple[int, int, str, str]]]:
    """A task's panels: a row for each model, a column for each retriever or precision.

    With a single column the models stand side by side instead, as in the paper.

    Returns:
        The block, and for each panel its row, its place in the row, its model and its column.
    """
    names = [labels.name(column) for column in columns]
    if len(columns) == 1 and len(models) > 1:
        width = math.ceil(len(models) / math.ceil(len(models) / WRAP))
        rows = [list(models[i : i + width]) for i in range(0, len(models), width)]
        places = [(r, c, m, columns[0]) for r, row in enumerate(rows) for c, m in enumerate(row)]
        title = f"{title}: {names[0]}"
        return Block(title, subtitle, [None] * len(rows), rows, x_label, share_y="block"), places
    headers = list(models) if len(models) > 1 else [None]
    panels = [names if r == 0 else [None] * len(names) for r in range(len(models))]
    places = [(r, c, m, column) for r, m in enumerate(models) for c, column in enumerate(columns)]
    if len(models) == 1:
        title = f"{title}: {models[0]}"
    return Block(title, subtitle, headers, panels, x_label), places


def k_axis(axes: Axes, ks: Sequence[str]) -> None:
    """Give the x axis one evenly spaced place for each k."""
    axes.set_xlim(-0.45, len(ks) - 0.55)
    axes.set_xticks(range(len(ks)), [K.parse(k).label for k in ks])


def line(axes: Axes, rows: pd.DataFrame, look: style.LineStyle, value: str) -> None:
    """Draw a line with its interval (columns ci_low, ci_high) as a band, along column `x`."""
    low, high = rows["ci_low"], rows["ci_high"]
    axes.fill_between(rows["x"], low, high, color=look.color, alpha=0.18, linewidth=0)
    axes.plot(rows["x"], rows[value], **look.line())


def whiskers(axes: Axes, rows: pd.DataFrame, look: style.LineStyle, value: str, thin: bool) -> None:
    """Draw a line with its intervals as whiskers, along column `x`; `thin` where lines are many."""
    slight = {"markersize": 2.6, "linewidth": 0.7} if thin else {}
    axes.vlines(rows["x"], rows["ci_low"], rows["ci_high"], color=look.color, linewidth=0.7)
    axes.plot(rows["x"], rows[value], **{**look.line(), **slight})


def apart(place: int, places: int) -> float:
    """How far to move one of a panel's lines sideways, so that their whiskers don't coincide."""
    return (place - (places - 1) / 2) * SPREAD / places


def from_zero(axes: Axes) -> None:
    """Let the vertical axis begin at 0; call it when all that shares the axis is drawn."""
    axes.set_ylim(0, axes.get_ylim()[1] * 1.03)


def stretch(values: pd.Series) -> tuple[list[float], list[float]]:
    """Positions and heights of a band over the whole k axis, flat beyond the first and last k.

    Args:
        values: heights, indexed by the positions of k.
    """
    if values.empty:
        return [], []
    x = [float(values.index[0]) - 0.45, *map(float, values.index), float(values.index[-1]) + 0.45]
    return x, [values.iloc[0], *values, values.iloc[-1]]


def legend(names: Sequence[str], looks: dict[str, style.LineStyle]) -> list[Artist]:
    """An entry for each line."""
    return [Line2D([], [], label=labels.name(name), **looks[name].line()) for name in names]


def band_entry(confidence: float) -> Artist:
    """The legend's entry for the band that `line` draws."""
    return Patch(color=style.GREY, alpha=0.25, linewidth=0, label=interval(confidence))


def whisker_entry(confidence: float) -> Artist:
    """The legend's entry for the whiskers that `whiskers` draws."""
    look = {"color": style.GREY, "marker": "|", "markersize": 7, "linestyle": "none"}
    return Line2D([], [], label=interval(confidence), **look)


def noise_band(axes: Axes, x: Sequence[float], low: Sequence[float], high: Sequence[float]) -> None:
    """Draw the noise floor as a hatched band."""
    axes.fill_between(x, low, high, **_NOISE)


def noise_entry() -> Artist:
    """The legend's entry for the band that `noise_band` draws."""
    return Patch(label=labels.name(NOISE_FLOOR), **_NOISE)


_NOISE = {"facecolor": "none", "edgecolor": style.GREY, "hatch": "//////", "linewidth": 0.4}


def interval(confidence: float) -> str:
    """What an interval is called in a legend."""
    return f"{confidence * 100:g}% interval"
