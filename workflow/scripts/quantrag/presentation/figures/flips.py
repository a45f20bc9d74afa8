"""The share of answers that quantization changes, against k, beside the noise floor."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from quantrag.presentation import labels
from quantrag.presentation.data import along_k, keep_main_metrics, ordered_names
from quantrag.presentation.figures import lines, style
from quantrag.presentation.figures.layout import Sheet


def draw(comparisons: pd.DataFrame, confidence: float) -> Figure:
    """Draw each task's flip rates: a row per model, a column per retriever, a line per precision.

    Args:
        comparisons: `comparisons.csv`.
        confidence: not used; flip rates have no intervals.
    """
    del confidence
    names = ordered_names(comparisons)
    rows = keep_main_metrics(comparisons)
    looks = style.precision_styles(names.precisions)
    x_label = labels.k_axis_label(names.ks)
    subtitle = f"Answers that differ from those of {labels.name(names.baseline)}"
    parts = [
        (task, *lines.block(labels.name(task), subtitle, names.models, names.retrievers, x_label))
        for task in names.tasks
    ]
    sheet = Sheet([block for _, block, _ in parts])
    for task, block, places in parts:
        of_task = rows[rows["task"] == task]
        for r, c, model, retriever in places:
            axes = block.axes[r][c]
            lines.k_axis(axes, names.ks)
            axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
            for precision in names.compared:
                where = {"model": model, "precision": precision}
                line = along_k(of_task, retriever, names.ks, **where)
                axes.plot(line["x"], line["flip_rate"], **looks[precision].line())
                if precision == names.compared[0]:
                    x, floor = lines.stretch(line.set_index("x")["noise_flip_rate"].dropna())
                    lines.noise_band(axes, x, [0.0] * len(x), floor)
    for _, block, _ in parts:
        for row in block.axes:
            lines.from_zero(row[0])
    noise = [lines.noise_entry()] if rows["noise_flip_rate"].notna().any() else []
    sheet.finish([*lines.legend(names.compared, looks), *noise])
    return sheet.figure
