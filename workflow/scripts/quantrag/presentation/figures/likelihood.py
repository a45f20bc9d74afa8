"""Changed answers and scores against how likely the golds are, a mark for each comparison."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from quantrag.presentation import labels
from quantrag.presentation.data import beside_likelihoods, ordered_names
from quantrag.presentation.figures import style
from quantrag.presentation.figures.canvas import only_text
from quantrag.presentation.figures.layout import Block, Sheet


def draw(comparisons: pd.DataFrame, confidence: float) -> Figure:
    """Draw two panels per task: changed answers, and differences of the main metric.

    Args:
        comparisons: `comparisons.csv`.
        confidence: not used; the marks have no intervals.
    """
    del confidence
    rows = beside_likelihoods(comparisons)
    if rows.empty:
        return only_text("No likelihoods were measured.")
    names = ordered_names(comparisons)
    looks = style.precision_styles(names.precisions)
    blocks = []
    for task, part in rows.groupby("task", sort=False):
        metric, likelihood = (labels.metric(part[c].iloc[0]) for c in ("metric", "likelihood"))
        x_label = f"Difference in {likelihood.axis}, {likelihood.direction}"
        headers = ["Changed answers", f"Difference in {metric.axis}, {metric.direction}"]
        subtitle = f"Compared with {labels.name(names.baseline)}"
        panels = [[None], [None]]
        blocks.append((part, Block(labels.name(task), subtitle, headers, panels, x_label)))
    sheet = Sheet([block for _, block in blocks])
    for part, block in blocks:
        for (axes,), column in zip(block.axes, ("flip_rate", "difference"), strict=True):
            axes.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
            axes.axvline(0, color=style.BLACK, linewidth=0.6)
            for precision, points in part.groupby("precision", sort=False):
                x, y = points["likelihood_difference"], points[column]
                axes.plot(x, y, linestyle="none", **looks[precision].points())
        block.axes[0][0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        block.axes[1][0].axhline(0, color=style.BLACK, linewidth=0.6)
    sheet.finish(
        [
            Line2D([], [], label=labels.name(p), linestyle="none", **looks[p].points())
            for p in names.compared
        ]
    )
    return sheet.figure
