"""Panels in a grid whose margins are measured, so that no label is cut and none meets another.

A sheet is a few blocks (one per task), stacked or side by side; a block is rows of panels with a
title, a subtitle that names the vertical axis, and a header above each row. Lengths are inches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.ticker import MaxNLocator

from quantrag.figures import style
from quantrag.figures.labels import shorten

LINE = 0.13  # what one line of text takes
EDGE = 0.04  # free margin around the sheet
GAP = 0.10  # between panels of a row
SPACE = 0.09  # above a header, below the legend, beside a tick label
BLOCK_GAP = 0.18  # between blocks
LOWEST, HIGHEST = 0.5, 1.15  # height of a panel
ROOMY = 0.8  # height from which stacked blocks read well
NARROW = 2  # as many panels stand side by side in one column of a paper
BROAD = 8  # as many in its full width


@dataclass
class Block:
    """What a block shows.

    Attributes:
        title: a line in bold (the task).
        subtitle: what the panels' vertical axis is, with its unit.
        headers: a line above each row of panels, or None.
        panels: per row, a title for each panel, or None where the row above already has it.
        x_label: below the last row.
        share_y: whether the panels of a row, or all panels, have one vertical axis.
        axes: per row, the panels' axes; filled by `Sheet`.
    """

    title: str
    subtitle: str
    headers: list[str | None]
    panels: list[list[str | None]]
    x_label: str
    share_y: Literal["row", "block"] = "row"
    axes: list[list[Axes]] = field(default_factory=list)

    @property
    def columns(self) -> int:
        """Panels in the longest row."""
        return max(len(row) for row in self.panels)

    @property
    def text_height(self) -> float:
        """What the lines above and between the rows take."""
        lines = 2 + sum(h is not None for h in self.headers)
        lines += sum(any(title is not None for title in row) for row in self.panels)
        return lines * LINE + len(self.panels) * SPACE

    def hangs(self, row: int, column: int) -> bool:
        """Whether no panel lies below this one, so that it carries the labels of the x axis."""
        return row + 1 == len(self.panels) or column >= len(self.panels[row + 1])


class Sheet:
    """A figure made of blocks: create it, draw into the blocks' axes, then call `finish`."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        rows = sum(len(block.panels) for block in blocks)
        fixed = sum(block.text_height + 2 * LINE + BLOCK_GAP for block in blocks) + 3 * LINE
        side_by_side = (style.PAGE_HEIGHT - fixed) / rows < ROOMY and sum(
            block.columns for block in blocks
        ) <= BROAD
        self.stacks = [[block] for block in blocks] if side_by_side else [list(blocks)]
        columns = sum(max(block.columns for block in stack) for stack in self.stacks)
        self.width = style.COLUMN_WIDTH if columns <= NARROW else style.PAGE_WIDTH
        self.figure = style.new_figure(self.width, style.PAGE_HEIGHT)
        self.renderer = self.figure.canvas.get_renderer()
        for block in blocks:
            self._add_axes(block)

    def _add_axes(self, block: Block) -> None:
        for r, titles in enumerate(block.panels):
            row: list[Axes] = []
            for c in range(len(titles)):
                above = block.axes[0][0] if block.axes and block.share_y == "block" else None
                axes = self.figure.add_axes((0.1, 0.1, 0.1, 0.1), sharey=row[0] if row else above)
                axes.tick_params(labelleft=c == 0, labelbottom=block.hangs(r, c))
                axes.grid(axis="y")
                row.append(axes)
            block.axes.append(row)

    def finish(self, legend: Sequence[Artist] = ()) -> None:
        """Measure tick labels and legend, choose the sizes, place the panels, write the titles.

        Args:
            legend: artists with a label each, for the legend on top of the sheet.
        """
        every = [axes for stack in self.stacks for axes in _all_axes(stack)]
        for axes in every:
            axes.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
        stack_width = self.width - 2 * EDGE - BLOCK_GAP * (len(self.stacks) - 1)
        stack_width /= len(self.stacks)
        columns = [max(block.columns for block in stack) for stack in self.stacks]
        margins = [max(map(self._left_margin, _all_axes(stack))) for stack in self.stacks]
        widths = [
            (stack_width - margin - GAP * (n - 1)) / n
            for margin, n in zip(margins, columns, strict=True)
        ]
        self._turn_tick_labels(every, min(widths))
        ticks = max(map(self._bottom_margin, every))
        key = self._legend(legend)
        top = EDGE + (self._size(key)[1] + SPACE if key else 0.0)
        fixed = max(
            sum(block.text_height + ticks + LINE for block in stack) + BLOCK_GAP * (len(stack) - 1)
            for stack in self.stacks
        )
        rows = max(sum(len(block.panels) for block in stack) for stack in self.stacks)
        height = (style.PAGE_HEIGHT - top - fixed - EDGE) / rows
        height = min(HIGHEST, max(LOWEST, height))
        self.figure.set_size_inches(self.width, top + fixed + rows * height + EDGE)
        if key:
            key.set_bbox_to_anchor(self._fraction(EDGE, EDGE))
        for i, stack in enumerate(self.stacks):
            x, y = EDGE + i * (stack_width + BLOCK_GAP), top
            for block in stack:
                y = self._place(block, x, y, stack_width, margins[i], widths[i], height)
                self._write(x + stack_width / 2, y + ticks, block.x_label, stack_width, ha="center")
                y += ticks + LINE + BLOCK_GAP

    def _place(self, block, x, y, stack_width, margin, width, height) -> float:
        """Place a block with its upper left corner at (x, y); return the bottom of its panels."""
        self._write(x, y, block.title, stack_width, weight="bold")
        self._write(x, y + LINE, block.subtitle, stack_width)
        y += 2 * LINE
        left = x + margin
        for titles, header, row in zip(block.panels, block.headers, block.axes, strict=True):
            if any(title is not None for title in titles):
                for c, title in enumerate(titles):
                    centre = left + c * (width + GAP) + width / 2
                    self._write(centre, y, title or "", width + GAP / 2, ha="center")
                y += LINE
            if header is not None:
                self._write(left, y, header, stack_width - margin)
                y += LINE
            for c, axes in enumerate(row):
                corner = self._fraction(left + c * (width + GAP), y + height)
                size = (width / self.width, height / self.figure.get_figheight())
                axes.set_position((*corner, *size))
            y += height + SPACE
        return y - SPACE

    def _write(self, x, y, text, room, **look) -> None:
        """Write one line whose top is `y` below the sheet's; too long a text gets smaller, then cut."""
        artist = self.figure.text(*self._fraction(x, y), text, va="top", **look)
        if text and self._size(artist)[0] > room:
            artist.set_fontsize(style.SMALL)
        while len(text) > 4 and self._size(artist)[0] > room:
            text = shorten(text, len(text) - 1)
            artist.set_text(text)

    def _fraction(self, x: float, y: float) -> tuple[float, float]:
        """Inches from the upper left corner as fractions of the figure."""
        return x / self.width, 1 - y / self.figure.get_figheight()

    def _size(self, artist: Artist) -> tuple[float, float]:
        box = artist.get_window_extent(self.renderer)
        return box.width / self.figure.dpi, box.height / self.figure.dpi

    def _left_margin(self, axes: Axes) -> float:
        box = axes.yaxis.get_tightbbox(self.renderer)
        return 0.0 if box is None else (axes.bbox.x0 - box.x0) / self.figure.dpi + 0.01

    def _bottom_margin(self, axes: Axes) -> float:
        box = axes.xaxis.get_tightbbox(self.renderer)
        return 0.0 if box is None else (axes.bbox.y0 - box.y0) / self.figure.dpi + 0.02

    def _turn_tick_labels(self, every: Sequence[Axes], width: float) -> None:
        """Write the x axes' tick labels upwards where they would meet side by side."""
        labels = [[t for t in axes.get_xticklabels() if t.get_text()] for axes in every]
        needed = max(sum(self._size(t)[0] + 0.05 for t in texts) for texts in labels)
        if needed > width:
            for axes in every:
                axes.tick_params(axis="x", labelrotation=90)

    def _legend(self, artists: Sequence[Artist]) -> Legend | None:
        """A legend in as many columns as fit."""
        if not artists:
            return None
        labels = [shorten(str(artist.get_label()), 48) for artist in artists]
        for columns in range(len(artists), 0, -1):
            key = self.figure.legend(artists, labels, loc="upper left", ncols=columns)
            if columns == 1 or self._size(key)[0] <= self.width - 2 * EDGE:
                return key
            key.remove()
        return None


def _all_axes(blocks: Sequence[Block]) -> list[Axes]:
    return [axes for block in blocks for row in block.axes for axes in row]
