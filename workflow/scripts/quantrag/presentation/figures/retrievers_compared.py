"""The retrievers compared: the baseline's score with each, and how far their rankings agree."""

import pandas as pd
from matplotlib.figure import Figure

from quantrag.presentation import labels
from quantrag.presentation.columns import COLUMNS
from quantrag.presentation.data import along_k, keep_main_metrics, main_metrics, ordered_names
from quantrag.presentation.figures import lines, style
from quantrag.presentation.figures.canvas import EDGE, LINE
from quantrag.presentation.figures.layout import BLOCK_GAP, Sheet

MEASURES = ("top1", "top5", "rbo")
CELL = 0.17  # height of a cell of the heat map, inches
PAIR = 18  # characters of a retriever's name beside the heat map


def draw(
    scores: pd.DataFrame, comparisons: pd.DataFrame, retrievers: pd.DataFrame, confidence: float
) -> Figure:
    """Draw the baseline's score against k with a line per retriever; below, rank agreement.

    Args:
        scores: `scores.csv`.
        comparisons: `comparisons.csv`, which names the baseline.
        retrievers: `retrievers.csv`.
        confidence: of the intervals in `scores`.
    """
    names = ordered_names(scores, comparisons)
    rows = keep_main_metrics(scores)
    rows = rows[rows["precision"] == names.baseline]
    looks = style.retriever_styles(names.retrievers)
    x_label = labels.k_axis_label(names.ks)
    parts = []
    for task, key in main_metrics(scores).items():
        subtitle = f"{labels.metric(key).axis}, {labels.metric(key).direction}"
        columns = [names.baseline]
        title = labels.name(task)
        parts.append((task, *lines.block(title, subtitle, names.models, columns, x_label)))
    sheet = Sheet([block for _, block, _ in parts])
    for task, block, places in parts:
        for r, c, model, _ in places:
            axes = block.axes[r][c]
            lines.k_axis(axes, names.ks)
            for i, (retriever, look) in enumerate(looks.items()):
                line = along_k(rows, retriever, names.ks, task=task, model=model)
                # k = 0 is the same for every retriever: one point, where the lines begin.
                shift = lines.apart(i, len(looks)) * (line["retriever"] == retriever)
                line = line.assign(x=line["x"] + shift)
                lines.whiskers(axes, line, look, "value", len(looks) > lines.MOST_BANDS)
    tables = [(task, retrievers[retrievers["task"] == task]) for task in names.tasks]
    across = len(tables) if sheet.width > style.COLUMN_WIDTH else 1
    heights = [3 * LINE + CELL * max(len(table), 1) + BLOCK_GAP for _, table in tables]
    below = max(heights) if across > 1 else sum(heights)
    sheet.finish([*lines.legend(names.retrievers, looks), lines.whisker_entry(confidence)], below)
    y = sheet.figure.get_figheight() - EDGE - below + BLOCK_GAP
    width = (sheet.width - 2 * EDGE - BLOCK_GAP * (across - 1)) / across
    for i, (task, table) in enumerate(tables):
        x = EDGE + (i % across) * (width + BLOCK_GAP)
        _heat_map(sheet, x, y, width, labels.name(task), table)
        y += 0 if across > 1 else heights[i]
    return sheet.figure


def _heat_map(sheet: Sheet, x: float, y: float, width: float, task: str, table) -> None:
    """Draw a task's pairs of retrievers (rows) by measures of agreement (columns)."""
    sheet.write(x, y, f"{task}: agreement of rankings", width, weight="bold")
    pairs = [
        " – ".join(labels.shorten(labels.name(name), PAIR) for name in pair)
        for pair in zip(table["retriever_a"], table["retriever_b"], strict=True)
    ]
    values = table[list(MEASURES)].to_numpy(dtype=float)
    axes = sheet.figure.add_axes((0.1, 0.1, 0.1, 0.1))
    axes.imshow(values, cmap="Blues", vmin=0, vmax=1.25, aspect="auto")
    axes.set_yticks(range(len(pairs)), pairs)
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(MEASURES)), [COLUMNS[name].short_label for name in MEASURES])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for row, line in enumerate(values):
        for column, value in enumerate(line):
            color = "white" if value > 0.8 else style.BLACK
            look = {"ha": "center", "va": "center", "fontsize": style.SMALL, "color": color}
            axes.text(column, row, f"{value:.2f}", **look)
    margin = sheet.left_margin(axes)
    # As wide as its numbers need, not as the sheet: a heat map of three columns isn't a banner.
    size = min(width - margin, 0.62 * len(MEASURES))
    sheet.place(axes, x + margin, y + 2 * LINE + 0.02, size, CELL * max(len(pairs), 1))
