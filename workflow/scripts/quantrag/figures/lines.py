"""Lines with intervals over k, and the sheet of panels (models by retrievers) that they stand in."""

import math
from collections.abc import Sequence

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from quantrag.figures import labels, style
from quantrag.figures.data import Grid
from quantrag.figures.layout import Block

MOST_BANDS = 3  # more bands than that cover each other; then the intervals are drawn as whiskers
WRAP = 4  # most panels in a row where a block has only one kind of them


def block(grid: Grid, task: str, subtitle: str) -> tuple[Block, list[list[tuple[str, str]]]]:
    """A task's panels: a row for each model, a column for each retriever.

    With a single retriever the models stand side by side instead, as in the paper.

    Returns:
        The block, and (model, retriever) of each panel.
    """
    title, x_label = labels.name(task), labels.k_axis(grid.ks)
    retrievers = [labels.name(retriever) for retriever in grid.retrievers]
    if len(grid.retrievers) == 1 and len(grid.models) > 1:
        width = math.ceil(len(grid.models) / math.ceil(len(grid.models) / WRAP))
        rows = [grid.models[i : i + width] for i in range(0, len(grid.models), width)]
        title = f"{title}: {retrievers[0]}"
        return (
            Block(title, subtitle, [None] * len(rows), rows, x_label, share_y="block"),
            [[(model, grid.retrievers[0]) for model in row] for row in rows],
        )
    if len(grid.models) == 1:
        title = f"{title}: {grid.models[0]}"
    headers = list(grid.models) if len(grid.models) > 1 else [None]
    panels = [retrievers if i == 0 else [None] * len(retrievers) for i in range(len(grid.models))]
    return (
        Block(title, subtitle, headers, panels, x_label),
        [[(model, retriever) for retriever in grid.retrievers] for model in grid.models],
    )


def k_axis(axes: Axes, ks: Sequence[str]) -> None:
    """Give the x axis one evenly spaced place for each k."""
    axes.set_xlim(-0.45, len(ks) - 0.55)
    axes.set_xticks(range(len(ks)), [labels.k_label(k) for k in ks])


def line(
    axes: Axes,
    rows: pd.DataFrame,
    look: style.LineStyle,
    value: str,
    *,
    place: int = 0,
    places: int = 1,
) -> None:
    """Draw one line and its intervals (columns ci_low, ci_high), around 0-based positions `x`.

    Args:
        place: which of the `places` lines of the panel this is. Many lines are set apart sideways
            and have whiskers; few have bands.
    """
    low, high = rows["ci_low"], rows["ci_high"]
    if places <= MOST_BANDS and len(rows) > 1:
        axes.fill_between(rows["x"], low, high, color=look.color, alpha=0.18, linewidth=0)
        axes.plot(rows["x"], rows[value], **look.line())
        return
    small = {**look.line(), "markersize": 2.6, "linewidth": 0.8}
    x = rows["x"] + (place - (places - 1) / 2) * 0.6 / places
    axes.vlines(x, low, high, color=look.color, linewidth=0.6)
    axes.plot(x, rows[value], **small)


def legend(names: Sequence[str], looks: dict[str, style.LineStyle]) -> list[Artist]:
    """An entry for each line."""
    return [Line2D([], [], label=labels.name(name), **looks[name].line()) for name in names]


def interval_entry(confidence: float, places: int, single: bool) -> Artist:
    """The legend's entry for the intervals that `line` draws.

    Args:
        confidence: of the intervals, between 0 and 1.
        places: lines in a panel.
        single: whether the lines have a single point each.
    """
    label = f"{confidence * 100:g}% interval"
    if places <= MOST_BANDS and not single:
        return Patch(color=style.GREY, alpha=0.25, linewidth=0, label=label)
    return Line2D([], [], color=style.GREY, marker="|", linestyle="none", label=label)
