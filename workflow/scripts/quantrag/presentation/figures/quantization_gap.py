"""The paired difference to the baseline against k, beside the margin and the noise floor."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from quantrag.names import NOISE_FLOOR
from quantrag.presentation import labels
from quantrag.presentation.data import along_k, keep_main_metrics, main_metrics, ordered_names
from quantrag.presentation.figures import lines, style
from quantrag.presentation.figures.layout import Sheet
from quantrag.statistics.comparisons import FEW_DIFFERING

_MARGIN = {"facecolor": style.MARGIN, "linewidth": 0}


def draw(scores: pd.DataFrame, comparisons: pd.DataFrame, confidence: float) -> Figure:
    """Draw each task's differences: a row per model, a column per precision, a line per retriever.

    The equivalence margin may differ between retrievers: the band is the narrowest one. The noise
    floor is the largest absolute difference between the baseline's two passes over the retrievers.

    Args:
        scores: `scores.csv`; its noise floor is drawn where it has one.
        comparisons: `comparisons.csv`.
        confidence: of the intervals in `comparisons`.
    """
    names = ordered_names(scores, comparisons)
    rows = keep_main_metrics(comparisons)
    noise = noise_floor(keep_main_metrics(scores), names.baseline)
    looks = style.retriever_styles(names.retrievers)
    x_label = labels.k_axis_label(names.ks)
    parts = []
    for task, key in main_metrics(comparisons).items():
        metric = labels.metric(key)
        better = "above" if metric.higher_is_better else "below"
        unit = f" ({metric.unit})" if metric.unit else ""
        baseline = labels.name(names.baseline)
        subtitle = f"{metric.label} minus that of {baseline}{unit}, {better} 0 is better"
        title = labels.name(task)
        parts.append((task, *lines.block(title, subtitle, names.models, names.compared, x_label)))
    sheet = Sheet([block for _, block, _ in parts])
    for task, block, places in parts:
        for r, c, model, precision in places:
            axes = block.axes[r][c]
            lines.k_axis(axes, names.ks)
            here = rows[(rows["task"] == task) & (rows["model"] == model)]
            here = here[here["precision"] == precision]
            positions = here["k"].map({k: x for x, k in enumerate(names.ks)})
            margin = here["margin"].groupby(positions).min()
            _band(axes, margin, **_MARGIN)
            if len(noise):
                floor = noise[(noise["task"] == task) & (noise["model"] == model)]
                positions = floor["k"].map({k: x for x, k in enumerate(names.ks)})
                x, height = lines.stretch(floor["noise"].groupby(positions).max())
                lines.noise_band(axes, x, [-h for h in height], height)
            axes.axhline(0, color=style.BLACK, linewidth=0.6)
            for i, (retriever, look) in enumerate(looks.items()):
                line = along_k(here, retriever, names.ks)
                # k = 0 is the same for every retriever: one point, where the lines begin.
                shift = lines.apart(i, len(looks)) * (line["retriever"] == retriever)
                line = line.assign(x=line["x"] + shift)
                lines.whiskers(axes, line, look, "difference", len(looks) > lines.MOST_BANDS)
                few = line[line["n_differing"] < FEW_DIFFERING]
                axes.plot(few["x"], few["difference"], **style.HOLLOW)
    entries = [*lines.legend(names.retrievers, looks), lines.whisker_entry(confidence)]
    entries.append(Patch(label="equivalence margin", **_MARGIN))
    sheet.finish([*entries, *([lines.noise_entry()] if len(noise) else [])])
    return sheet.figure


def _band(axes: Axes, heights: pd.Series, **look) -> None:
    x, height = lines.stretch(heights)
    axes.fill_between(x, [-h for h in height], height, zorder=0.5, **look)


def noise_floor(scores: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Absolute difference of the baseline's two passes per cell; no rows without a second pass.

    Args:
        scores: rows of `scores.csv` with one metric for each task.
        baseline: the precision that was run twice.

    Returns:
        Columns task, model, retriever, k, noise.
    """
    cell = ["task", "model", "retriever", "k"]
    first = scores[scores["precision"] == baseline].set_index(cell)["value"]
    second = scores[scores["precision"] == NOISE_FLOOR].set_index(cell)["value"]
    return (second - first).abs().dropna().rename("noise").reset_index()
