"""The difference to the baseline where the evidence is in the prompt, and where it isn't."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from quantrag.presentation import labels
from quantrag.presentation.data import keep_main_metrics, main_metrics, ordered_names
from quantrag.presentation.figures import lines, style
from quantrag.presentation.figures.canvas import only_text
from quantrag.presentation.figures.layout import Sheet
from quantrag.scoring.evidence import INTERACTION
from quantrag.statistics.comparisons import FEW_DIFFERING
from quantrag.statistics.trends import ALL

_MARGIN = {"facecolor": style.MARGIN, "linewidth": 0}
_INTERACTION = style.LineStyle(style.BLACK, "D", style.SOLID)


def draw(evidence: pd.DataFrame, confidence: float) -> Figure:
    """Draw each task's main metric over all cells: a row per model, a column per precision.

    Args:
        evidence: `evidence.csv`.
        confidence: of its intervals.
    """
    rows = keep_main_metrics(evidence[evidence["retriever"] == ALL].drop(columns="k"))
    names = ordered_names(rows)
    if not names.tasks:
        return only_text("No question's evidence is known.")
    parts = []
    for task, key in main_metrics(rows).items():
        metric = labels.metric(key)
        better = "above" if metric.higher_is_better else "below"
        unit = f" ({metric.unit})" if metric.unit else ""
        subtitle = f"{metric.label} minus that of {labels.name(names.baseline)}{unit}"
        columns = (names.models, names.compared, "Evidence in the prompt")
        block = lines.block(labels.name(task), f"{subtitle}, {better} 0 is better", *columns)
        parts.append((task, *block))
    sheet = Sheet([block for _, block, _ in parts])
    for task, block, places in parts:
        for r, c, model, precision in places:
            here = rows[(rows["task"] == task) & (rows["model"] == model)]
            _panel(block.axes[r][c], here[here["precision"] == precision])
    marks = [
        Line2D([], [], label=verdict, linestyle="none", **look.points())
        for verdict, look in style.VERDICT_STYLES.items()
        if (rows["verdict"] == verdict).any()
    ]
    marks += [
        Line2D(
            [], [], label=labels.EVIDENCE[INTERACTION], linestyle="none", **_INTERACTION.points()
        )
    ]
    marks += [lines.whisker_entry(confidence), Patch(label="equivalence margin", **_MARGIN)]
    sheet.finish(marks)
    return sheet.figure


def _panel(axes: Axes, rows: pd.DataFrame) -> None:
    rows = rows.assign(x=rows["evidence"].map(list(labels.EVIDENCE).index))
    axes.set_xlim(-0.5, len(labels.EVIDENCE) - 0.5)
    axes.set_xticks(range(len(labels.EVIDENCE)), labels.EVIDENCE.values())
    axes.bar(rows["x"], 2 * rows["margin"], 0.8, -rows["margin"], **_MARGIN)
    axes.axhline(0, color=style.BLACK, linewidth=0.6)
    for verdict, look in {**style.VERDICT_STYLES, "": _INTERACTION}.items():
        part = rows[rows["verdict"] == verdict]
        axes.vlines(part["x"], part["ci_low"], part["ci_high"], color=look.color, linewidth=0.8)
        axes.plot(part["x"], part["difference"], linestyle="none", **look.points())
    few = rows[rows["n_differing"] < FEW_DIFFERING]
    axes.plot(few["x"], few["difference"], **style.HOLLOW)
