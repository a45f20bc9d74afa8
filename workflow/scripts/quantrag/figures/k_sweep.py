"""The main figure: the score against the number of retrieved documents, a line per precision."""

import pandas as pd
from matplotlib.figure import Figure

from quantrag.figures import labels, lines, style
from quantrag.figures.data import along_k, grid, keep_main_metrics, main_metrics
from quantrag.figures.layout import Sheet


def draw(scores: pd.DataFrame, comparisons: pd.DataFrame, confidence: float) -> Figure:
    """Draw each task's main metric against k: a row per model, a column per retriever.

    Args:
        scores: `scores.csv`.
        comparisons: `comparisons.csv`, which names the baseline.
        confidence: of the intervals in `scores`.
    """
    names = grid(scores, comparisons)
    rows = keep_main_metrics(scores)
    looks = style.precision_styles(names.precisions)
    blocks, panels = [], []
    for task, key in main_metrics(scores).items():
        metric = labels.metric(key)
        block, cells = lines.block(names, task, f"{metric.axis}, {metric.direction}")
        blocks.append(block)
        panels.append((task, cells))
    sheet = Sheet(blocks)
    for block, (task, cells) in zip(blocks, panels, strict=True):
        for row, places in zip(block.axes, cells, strict=True):
            for axes, (model, retriever) in zip(row, places, strict=True):
                lines.k_axis(axes, names.ks)
                for i, precision in enumerate(names.precisions):
                    line = along_k(
                        rows, retriever, names.ks, task=task, model=model, precision=precision
                    )
                    count = len(names.precisions)
                    lines.line(axes, line, looks[precision], "value", place=i, places=count)
    intervals = lines.interval_entry(confidence, len(names.precisions), len(names.ks) == 1)
    sheet.finish([*lines.legend(names.precisions, looks), intervals])
    return sheet.figure
