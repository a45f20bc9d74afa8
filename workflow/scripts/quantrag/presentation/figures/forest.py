"""Every comparison as a forest plot: difference, interval, margin, and the verdict as a marker."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from quantrag.grid import K, ks_of, retrievers_with_none
from quantrag.presentation import labels
from quantrag.presentation.data import OrderedNames, keep_main_metrics, main_metrics, ordered_names
from quantrag.presentation.figures import lines, style
from quantrag.presentation.figures.canvas import EDGE, LINE, Canvas
from quantrag.statistics.comparisons import FEW_DIFFERING

PITCH = 0.105  # height of one comparison, inches
HEADER = 1.5  # room for a model's name, in comparisons
GAP = 0.16  # between panels
BLOCK_GAP = 0.2  # between stacks and between tasks
NARROWEST = 0.8  # panel
HEAD = 2 * LINE + 0.03  # task and precision above a panel
FOOT = 3 * LINE + 0.05  # tick labels, axis and direction below it
_MARGIN = {"facecolor": style.MARGIN, "linewidth": 0}


@dataclass(frozen=True)
class _Plan:
    """How the comparisons are spread over the sheet.

    Attributes:
        width: of the sheet.
        stacks: the models in each of the side-by-side stacks.
        tasks: the tasks that share a row of panels; one list for each such row.
        panel: width of a panel.
        height: of the sheet, without its legend.
    """

    width: float
    stacks: list[list[str]]
    tasks: list[list[str]]
    panel: float
    height: float


def draw(comparisons: pd.DataFrame, confidence: float) -> Figure:
    """Draw each task's main metric: a row per model, retriever and k, a column per precision.

    Args:
        comparisons: `comparisons.csv`.
        confidence: of its intervals.
    """
    names = ordered_names(comparisons)
    rows = keep_main_metrics(comparisons)
    metrics = main_metrics(comparisons)
    ks = [K.parse(k) for k in names.ks]
    cells = [
        (retriever, str(k))
        for retriever in retrievers_with_none(names.retrievers, ks)
        for k in ks_of(retriever, ks)
    ]
    gutter = _gutter(cells)
    step = len(cells) + HEADER
    plan = _plan(names, step, gutter)
    canvas = Canvas(plan.width)
    key = canvas.legend(_legend(rows, confidence))
    top = EDGE + canvas.size(key)[1] + LINE
    canvas.set_height(top + plan.height + EDGE)
    key.set_bbox_to_anchor(canvas.fraction(EDGE, EDGE))
    y = top
    for tasks in plan.tasks:
        for s, models in enumerate(plan.stacks):
            columns = len(tasks) * len(names.compared)
            width = gutter + columns * (plan.panel + GAP)
            x = EDGE + s * (width - GAP + BLOCK_GAP)
            height = step * len(models) * PITCH
            _label_rows(canvas, x, y + HEAD, gutter, models, cells)
            for t, task in enumerate(tasks):
                left = x + gutter + t * len(names.compared) * (plan.panel + GAP)
                part = rows[rows["task"] == task]
                reach = max(part[["ci_low", "ci_high", "margin"]].abs().max()) * 1.05
                _label_panels(canvas, left, y, height, plan.panel, names, task, metrics[task])
                for p, precision in enumerate(names.compared):
                    axes = canvas.figure.add_axes((0.1, 0.1, 0.1, 0.1))
                    corner = left + p * (plan.panel + GAP), y + HEAD
                    canvas.place(axes, *corner, plan.panel, height)
                    _panel(axes, part[part["precision"] == precision], models, cells, reach)
        y += HEAD + step * len(plan.stacks[0]) * PITCH + FOOT + BLOCK_GAP
    return canvas.figure


def _gutter(cells: Sequence[tuple[str, str]]) -> float:
    """Width of the column of row labels."""
    canvas = Canvas(style.PAGE_WIDTH)
    texts = [f"{labels.shorten(labels.name(r), 24)}  {K.parse(k).label}" for r, k in cells]
    return 0.1 + max(
        canvas.size(canvas.figure.text(0, 0, t, fontsize=style.SMALL))[0] for t in texts
    )


def _plan(names: OrderedNames, rows_per_model: float, gutter: float) -> _Plan:
    """The first arrangement that fits a page, else the lowest."""
    plans = []
    for width, most in ((style.COLUMN_WIDTH, 1), (style.PAGE_WIDTH, 3)):
        for tasks in ([names.tasks], [[task] for task in names.tasks]):
            columns = len(tasks[0]) * len(names.compared)
            for count in range(1, min(most, len(names.models)) + 1):
                size = math.ceil(len(names.models) / count)
                stacks = [names.models[i : i + size] for i in range(0, len(names.models), size)]
                room = width - 2 * EDGE - BLOCK_GAP * (len(stacks) - 1)
                panel = (room / len(stacks) - gutter - GAP * (columns - 1)) / columns
                body = HEAD + size * rows_per_model * PITCH + FOOT
                height = len(tasks) * (body + BLOCK_GAP) - BLOCK_GAP
                plans.append(_Plan(width, stacks, tasks, panel, height))
    wide = [plan for plan in plans if plan.panel >= NARROWEST] or plans[-1:]
    fitting = [plan for plan in wide if plan.height <= style.PAGE_HEIGHT - 0.5]
    return fitting[0] if fitting else min(wide, key=lambda plan: plan.height)


def _label_rows(canvas, x, y, gutter, models, cells) -> None:
    """Write a model's name above its rows, each row's k, and a retriever's name at its first k."""
    look = {"fontsize": style.SMALL, "va": "center"}
    head = canvas.fraction(x + gutter - 0.05, y - 0.03 - LINE * 0.6)
    canvas.figure.text(*head, "k", ha="right", **look)
    for m, model in enumerate(models):
        first = y + (m * (len(cells) + HEADER) + HEADER - 0.5) * PITCH
        place = canvas.fraction(x, first)
        text = labels.shorten(model, int((gutter + NARROWEST) / 0.055))
        canvas.figure.text(*place, text, weight="bold", **look)
        before = None
        for i, (retriever, k) in enumerate(cells):
            row = first + (i + 1) * PITCH
            if retriever != before:
                text = labels.shorten(labels.name(retriever), 24)
                canvas.figure.text(*canvas.fraction(x, row), text, **look)
            before = retriever
            place = canvas.fraction(x + gutter - 0.05, row)
            canvas.figure.text(*place, K.parse(k).label, ha="right", **look)


def _label_panels(canvas, left, y, height, panel, names, task, key) -> None:
    """Write the task and the precisions above a task's panels, and what they show below."""
    metric = labels.metric(key)
    span = len(names.compared) * (panel + GAP)
    canvas.write(left, y, labels.name(task), span, weight="bold")
    middle = left + (span - GAP) / 2
    for p, precision in enumerate(names.compared):
        centre = left + p * (panel + GAP) + panel / 2
        canvas.write(centre, y + LINE, labels.name(precision), panel + GAP / 2, ha="center")
    bottom = y + HEAD + height + LINE + 0.03
    canvas.write(middle, bottom, f"Δ {metric.axis}", span, ha="center")
    sides = ("worse", "better") if metric.higher_is_better else ("better", "worse")
    canvas.write(middle, bottom + LINE, "← {}   {} →".format(*sides), span, ha="center")


def _panel(axes: Axes, rows: pd.DataFrame, models, cells, reach: float) -> None:
    """Draw one precision's comparisons; `reach` is the end of the axis on both sides of 0."""
    step = len(cells) + HEADER
    axes.set_ylim(step * len(models), 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlim(-reach, reach)
    tick = _nice(reach * 0.75)
    axes.set_xticks([-tick, 0, tick], [f"{v:.10g}".replace("-", "−") for v in (-tick, 0, tick)])
    for m in range(len(models)):
        axes.vlines(0, m * step + HEADER, (m + 1) * step, color=style.BLACK, linewidth=0.5)
    order = {(m, *cell): i * step + HEADER + j + 0.5 for i, m in enumerate(models)
             for j, cell in enumerate(cells)}  # fmt: skip
    keys = zip(rows["model"], rows["retriever"], rows["k"], strict=True)
    rows = rows.assign(y=[order.get(key) for key in keys]).dropna(subset=["y"])
    axes.barh(rows["y"], 2 * rows["margin"], 1.0, -rows["margin"], **_MARGIN)
    for verdict, look in style.VERDICT_STYLES.items():
        part = rows[rows["verdict"] == verdict]
        axes.hlines(part["y"], part["ci_low"], part["ci_high"], color=look.color, linewidth=0.8)
        axes.plot(part["difference"], part["y"], linestyle="none", **look.points())
    few = rows[rows["n_differing"] < FEW_DIFFERING]
    axes.plot(few["difference"], few["y"], **style.HOLLOW)


def _nice(value: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not above `value`."""
    if not value > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return max(step * power for step in (1, 2, 5) if step * power <= value * (1 + 1e-9))


def _legend(rows: pd.DataFrame, confidence: float) -> list:
    marks = [
        Line2D([], [], label=verdict, linestyle="none", **look.points())
        for verdict, look in style.VERDICT_STYLES.items()
        if (rows["verdict"] == verdict).any()
    ]
    bars = {"color": style.GREY, "linewidth": 0.8, "label": lines.interval(confidence)}
    return [*marks, Line2D([], [], **bars), Patch(label="equivalence margin", **_MARGIN)]
