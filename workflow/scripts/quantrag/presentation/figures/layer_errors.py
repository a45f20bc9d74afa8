"""Quantization error of each layer and kind of module."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from quantrag.presentation.columns import COLUMNS
from quantrag.presentation.figures import lines, style
from quantrag.presentation.figures.layout import Sheet

MEASURES = ("weight_error", "output_error")


def by_layer(checkpoints: pd.DataFrame) -> pd.DataFrame:
    """The errors `MEASURES` by model, precision, module and layer, in the order of the layers.

    Args:
        checkpoints: `checkpoints.csv`; rows without a layer (the whole checkpoint's) are left out.
            The experts of a layer, which share a module's name, become their mean.
    """
    keys = ["model", "precision", "layer", "module"]
    layers = checkpoints[checkpoints["layer"].notna()]
    means = layers.groupby(keys, sort=False)[list(MEASURES)].mean().reset_index()
    return means.sort_values("layer", kind="stable")


def spans_powers(errors: pd.Series) -> bool:
    """Whether errors, such as those from 8 bits to 2, need an axis of powers of ten."""
    return bool(0 < 10 * errors.min() < errors.max())


def draw(checkpoints: pd.DataFrame, confidence: float) -> Figure:
    """Draw each error by layer: a row per model, a column per precision, a line per module.

    Args:
        checkpoints: `checkpoints.csv`; see `by_layer`.
        confidence: not used; the errors have no intervals.
    """
    del confidence
    rows = by_layer(checkpoints)
    models, precisions = list(rows["model"].unique()), list(rows["precision"].unique())
    looks = style.retriever_styles(list(rows["module"].unique()))
    parts = []
    for measure in MEASURES:
        if rows[measure].notna().any():
            subtitle = "Norm of the error over the norm of the original, lower is better ↓"
            title = COLUMNS[measure].title
            parts.append((measure, *lines.block(title, subtitle, models, precisions, "Layer")))
    sheet = Sheet([block for _, block, _ in parts])
    for measure, block, places in parts:
        for r, c, model, precision in places:
            axes = block.axes[r][c]
            here = rows[(rows["model"] == model) & (rows["precision"] == precision)]
            for module, look in looks.items():
                line = here[here["module"] == module]
                every = max(1, len(line) // 8)
                axes.plot(line["layer"], line[measure], markevery=every, **look.line())
            axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    for measure, block, _ in parts:
        for row in block.axes:
            if spans_powers(rows[measure]):
                _powers(row[0])
            else:
                lines.from_zero(row[0])
    sheet.finish(lines.legend(list(looks), looks))
    return sheet.figure


def _powers(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(numticks=6))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
