"""The main figure: the score against the number of retrieved documents, a line per precision."""

import pandas as pd
from matplotlib.figure import Figure

from quantrag.presentation import labels
from quantrag.presentation.data import along_k, keep_main_metrics, main_metrics, ordered_names
from quantrag.presentation.figures import lines, style
from quantrag.presentation.figures.layout import Sheet


def draw(scores: pd.DataFrame, comparisons: pd.DataFrame, confidence: float) -> Figure:
    """Draw each task's main metric against k: a row per model, a column per retriever.

    Args:
        scores: `scores.csv`.
        comparisons: `comparisons.csv`, which names the baseline.
        confidence: of the intervals in `scores`.
    """
    names = ordered_names(scores, comparisons)
    rows = keep_main_metrics(scores)
    looks = style.precision_styles(names.precisions)
    x_label = labels.k_axis_label(names.ks)
    parts = []
    for task, key in main_metrics(scores).items():
        subtitle = f"{labels.metric(key).axis}, {labels.metric(key).direction}"
        title = labels.name(task)
        parts.append((task, *lines.block(title, subtitle, names.models, names.retrievers, x_label)))
    sheet = Sheet([block for _, block, _ in parts])
    bands = len(names.precisions) <= lines.MOST_BANDS and len(names.ks) > 1
    for task, block, places in parts:
        of_task = rows[rows["task"] == task]
        for r, c, model, retriever in places:
            axes = block.axes[r][c]
            lines.k_axis(axes, names.ks)
            for i, (precision, look) in enumerate(looks.items()):
                where = {"model": model, "precision": precision}
                line = along_k(of_task, retriever, names.ks, **where)
                if bands:
                    lines.line(axes, line, look, "value")
                else:
                    line["x"] += lines.apart(i, len(looks))
                    lines.whiskers(axes, line, look, "value", len(looks) > lines.MOST_BANDS)
    interval = lines.band_entry(confidence) if bands else lines.whisker_entry(confidence)
    sheet.finish([*lines.legend(names.precisions, looks), interval])
    return sheet.figure
