"""Panels in a grid whose margins are measured, so that no label is cut and none meets another.

A sheet is a few blocks (one per task), stacked or side by side; a block is rows of panels with a
title, a subtitle that names the vertical axis, and a header above each row. Lengths are inches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from quantrag.presentation.figures import style
from quantrag.presentation.figures.canvas import EDGE, LINE, Canvas

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
        """What the lines of text and the space between the rows take."""
        lines = 2 + sum(h is not None for h in self.headers)
        lines += sum(any(title is not None for title in row) for row in self.panels)
        lines += bool(self.x_label)
        return lines * LINE + (len(self.panels) - 1) * SPACE

    def hangs(self, row: int, column: int) -> bool:
        """Whether no panel lies below this one, so that it carries the labels of the x axis."""
        return row + 1 == len(self.panels) or column >= len(self.panels[row + 1])


class Sheet(Canvas):
    """A figure made of blocks: create it, draw into the blocks' axes, then call `finish`."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        rows = sum(len(block.panels) for block in blocks)
        fixed = sum(block.text_height + LINE + BLOCK_GAP for block in blocks) + 3 * LINE
        side_by_side = (style.PAGE_HEIGHT - fixed) / rows < ROOMY and sum(
            block.columns for block in blocks
        ) <= BROAD
        self.stacks = [[block] for block in blocks] if side_by_side else [list(blocks)]
        columns = sum(max(block.columns for block in stack) for stack in self.stacks)
        super().__init__(style.COLUMN_WIDTH if columns <= NARROW else style.PAGE_WIDTH)
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

    def finish(self, legend: Sequence[Artist] = (), below: float = 0.0) -> None:
        """Measure tick labels and legend, choose the sizes, place the panels, write the titles.

        Args:
            legend: artists with a label each, for the legend on top of the sheet.
            below: height to leave free under the blocks.
        """
        every = [axes for stack in self.stacks for axes in _all_axes(stack)]
        for axes in every:
            ticks = MaxNLocator(nbins=4, min_n_ticks=3, steps=[1, 2, 2.5, 5, 10])
            if axes.get_yscale() == "linear":
                axes.yaxis.set_major_locator(ticks)
        stack_width = self.width - 2 * EDGE - BLOCK_GAP * (len(self.stacks) - 1)
        stack_width /= len(self.stacks)
        columns = [max(block.columns for block in stack) for stack in self.stacks]
        margins = [
            max(self.left_margin(row[0]) for block in stack for row in block.axes)
            for stack in self.stacks
        ]
        widths = [
            (stack_width - margin - GAP * (n - 1)) / n
            for margin, n in zip(margins, columns, strict=True)
        ]
        self._turn_tick_labels(every, min(widths))
        ticks = max(map(self.bottom_margin, every))
        key = self.legend(legend)
        top = EDGE + (self.size(key)[1] + SPACE if key else 0.0)
        fixed = max(
            sum(block.text_height + ticks for block in stack) + BLOCK_GAP * (len(stack) - 1)
            for stack in self.stacks
        )
        rows = max(sum(len(block.panels) for block in stack) for stack in self.stacks)
        height = (style.PAGE_HEIGHT - top - fixed - below - EDGE) / rows
        height = min(HIGHEST, max(LOWEST, height))
        self.set_height(top + fixed + rows * height + below + EDGE)
        if key:
            key.set_bbox_to_anchor(self.fraction(EDGE, EDGE))
        for i, stack in enumerate(self.stacks):
            x, y = EDGE + i * (stack_width + BLOCK_GAP), top
            for block in stack:
                y = self._place_block(block, x, y, stack_width, margins[i], widths[i], height)
                self.write(x + stack_width / 2, y + ticks, block.x_label, stack_width, ha="center")
                y += ticks + bool(block.x_label) * LINE + BLOCK_GAP

    def _place_block(self, block, x, y, stack_width, margin, width, height) -> float:
        """Place a block with its upper left corner at (x, y); return the bottom of its panels."""
        self.write(x, y, block.title, stack_width, weight="bold")
        self.write(x, y + LINE, block.subtitle, stack_width)
        y += 2 * LINE
        left = x + margin
        for titles, header, row in zip(block.panels, block.headers, block.axes, strict=True):
            if any(title is not None for title in titles):
                for c, title in enumerate(titles):
                    centre = left + c * (width + GAP) + width / 2
                    self.write(centre, y, title or "", width + GAP / 2, ha="center")
                y += LINE
            if header is not None:
                self.write(left, y, header, stack_width - margin)
                y += LINE
            for c, axes in enumerate(row):
                self.place(axes, left + c * (width + GAP), y, width, height)
            y += height + SPACE
        return y - SPACE

    def _turn_tick_labels(self, every: Sequence[Axes], width: float) -> None:
        """Write the x axes' tick labels upwards where they would meet side by side."""
        labels = [[t for t in axes.get_xticklabels() if t.get_text()] for axes in every]
        needed = max(sum(self.size(t)[0] + 0.05 for t in texts) for texts in labels)
        if needed > width:
            for axes in every:
                axes.tick_params(axis="x", labelrotation=90)


def _all_axes(blocks: Sequence[Block]) -> list[Axes]:
    return [axes for block in blocks for row in block.axes for axes in row]
