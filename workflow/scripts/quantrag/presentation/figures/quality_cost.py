"""What a precision's score costs: memory, speed and energy, with the Pareto front."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.ticker import MaxNLocator

from quantrag.presentation import labels
from quantrag.presentation.columns import COLUMNS
from quantrag.presentation.data import OrderedNames, keep_main_metrics, main_metrics, ordered_names
from quantrag.presentation.figures import style
from quantrag.presentation.figures.layout import Block, Sheet

LETTER_HEIGHT = 0.1  # inches between the letters of two models
MODEL_NAME = 40  # characters
#: Least part of the largest cost that an axis spans: else what hardly differs looks far apart.
LEAST_SPAN = 0.2


def draw(
    scores: pd.DataFrame, comparisons: pd.DataFrame, costs: pd.DataFrame, confidence: float
) -> Figure:
    """Draw each task's mean score against each cost: a point per model and precision.

    The score is the mean over the k and retrievers that all of a model's precisions have. Costs
    that nobody measured have no column.

    Args:
        scores: `scores.csv`.
        comparisons: `comparisons.csv`, which names the baseline.
        costs: `costs.csv`.
        confidence: not used; the means have no intervals.
    """
    del confidence
    names = ordered_names(scores, comparisons)
    costs = with_energy_per_token(costs)
    shown = known_costs(costs)
    metrics = main_metrics(scores)
    many = len(names.models) > 1
    model = "" if many else f": {names.models[0]}"
    blocks = [_block(labels.name(task) + model, key, len(shown)) for task, key in metrics.items()]
    sheet = Sheet(blocks)
    looks = style.precision_styles(names.precisions)
    means = mean_scores(keep_main_metrics(scores), names)
    panels = []
    for block, (task, key) in zip(blocks, metrics.items(), strict=True):
        points = means[means["task"] == task].merge(costs, on=["model", "precision"])
        for axes, cost in zip(block.axes[0], shown, strict=True):
            ends = _panel(axes, points, cost, labels.metric(key).higher_is_better, looks)
            panels.append((axes, points[[cost, "value"]].dropna().to_numpy(), ends))
    letters = {model: chr(ord("A") + i % 26) for i, model in enumerate(names.models)}
    sheet.finish(_legend(names, looks, letters if many else {}))
    if many:
        for axes, spots, ends in panels:
            _letter(sheet, axes, spots, ends, letters)
    return sheet.figure


def _block(title: str, key: str, columns: int) -> Block:
    metric = labels.metric(key)
    subtitle = f"{metric.axis}, mean over k and retrievers, {metric.direction}"
    return Block(title, subtitle, [None], [[None] * columns], "")


def known_costs(costs: pd.DataFrame) -> list[str]:
    """The columns to show: memory first, the weights on disk where it isn't known of all rows."""
    memory = "memory_gib" if costs["memory_gib"].notna().all() else "weights_gib"
    measured = ("output_tokens_per_s", "wh_per_1k")
    return [memory, *(cost for cost in measured if costs[cost].notna().any())]


def cost_range(costs: pd.Series) -> tuple[float, float]:
    """The least that an axis of these costs has to show."""
    low, high = float(costs.min()), float(costs.max())
    more = max(0.0, LEAST_SPAN * high - (high - low)) / 2
    return low - more, high + more


def with_energy_per_token(costs: pd.DataFrame) -> pd.DataFrame:
    """`costs.csv` with a column wh_per_1k: watt-hours per 1,000 tokens read or written."""
    tokens = costs["prompt_tokens"] + costs["output_tokens"]
    return costs.assign(wh_per_1k=1000 * costs["energy_wh"] / tokens)


def mean_scores(scores: pd.DataFrame, names: OrderedNames) -> pd.DataFrame:
    """Columns task, model, precision, value: means over the cells that all precisions have."""
    scores = scores[scores["precision"].isin(names.precisions)]
    rows = []
    for (task, model), part in scores.groupby(["task", "model"], sort=False):
        cells = part.pivot_table("value", ["retriever", "k"], "precision").dropna()
        rows += [(task, model, precision, cells[precision].mean()) for precision in cells]
    return pd.DataFrame(rows, columns=["task", "model", "precision", "value"])


def _panel(
    axes: Axes,
    points: pd.DataFrame,
    cost: str,
    higher_is_better: bool,
    looks: dict[str, style.LineStyle],
) -> dict[str, tuple[float, float]]:
    """Draw one panel; return where each model's first precision lies."""
    column = COLUMNS[cost]
    axes.set_xlabel(
        f"{column.title}\n{'better →' if column.higher_is_better else '← better'}", labelpad=1
    )
    axes.margins(0.12)
    points = points.dropna(subset=[cost, "value"])
    front = pareto_front(points, cost, column.higher_is_better, higher_is_better)
    axes.plot(front[cost], front["value"], **_FRONT)
    ends: dict[str, tuple[float, float]] = {}
    for model, part in points.groupby("model", sort=False):
        part = part.set_index("precision").reindex(
            [p for p in looks if p in set(part["precision"])]
        )
        x, y = part[cost].to_numpy(), part["value"].to_numpy()
        ends[model] = float(x[0]), float(y[0])
        for i, precision in enumerate(part.index):
            axes.plot(x[[0, i]], y[[0, i]], color=style.LIGHT, linewidth=0.7, zorder=1.5)
            axes.plot(x[i], y[i], linestyle="none", **looks[precision].points())
    # Invisible points that only widen the axis.
    axes.plot(cost_range(points[cost]), [points["value"].mean()] * 2, linestyle="none")
    # Ticks away from the panel's ends: their labels would meet those of the next panel there.
    low, high = axes.get_xlim()
    inner = low + 0.12 * (high - low), high - 0.12 * (high - low)
    ticks = MaxNLocator(nbins=3, steps=[1, 2, 2.5, 5, 10]).tick_values(*inner)
    axes.set_xticks([tick for tick in ticks if inner[0] <= tick <= inner[1]])
    return ends


def pareto_front(
    points: pd.DataFrame, cost: str, dear_is_good: bool, high_is_good: bool
) -> pd.DataFrame:
    """The points that no other point beats in both, in the order of falling cost's merit.

    Args:
        points: `value`, and the column that `cost` names.
        cost: name of the column.
        dear_is_good: whether more of it is better, as of a speed.
        high_is_good: whether a higher value is better.
    """
    ordered = points.assign(
        merit=points["value"] * (1 if high_is_good else -1),
        price=points[cost] * (-1 if dear_is_good else 1),
    ).sort_values(["price", "merit"], ascending=[True, False], kind="stable")
    best = ordered["merit"].cummax()
    return ordered[(ordered["merit"] == best) & ~best.duplicated()]


_FRONT = {"color": style.GREY, "linewidth": 0.8, "linestyle": style.DASHED,
          "drawstyle": "steps-post", "zorder": 1.2}  # fmt: skip


def _legend(
    names: OrderedNames, looks: dict[str, style.LineStyle], letters: dict[str, str]
) -> list[Line2D]:
    entries = [
        Line2D([], [], linestyle="none", label=labels.name(precision), **looks[precision].points())
        for precision in names.precisions
    ]
    entries.append(Line2D([], [], label="Pareto front", **_FRONT))
    look = {"linestyle": "none", "color": style.BLACK, "markersize": 4.5, "markeredgewidth": 0}
    for model, letter in letters.items():
        name = labels.shorten(model, MODEL_NAME)
        entries.append(Line2D([], [], marker=_glyph(letter), label=name, **look))
    return entries


def _glyph(letter: str) -> Path:
    """A letter as a marker, centred."""
    path = TextPath((0, 0), letter, size=10)
    centre = path.get_extents().get_points().mean(axis=0)
    return Path(path.vertices - centre, path.codes)


def _letter(
    sheet: Sheet,
    axes: Axes,
    points: np.ndarray,
    ends: dict[str, tuple[float, float]],
    letters: dict[str, str],
) -> None:
    """Write each model's letter beside its baseline, where neither letter nor point is.

    Where all places near it are taken, a letter stands further off, with a line to its point, or on
    a point, but never on another letter.
    """
    dpi = sheet.figure.dpi
    spots = axes.transData.transform(points)
    written = np.empty((0, 2))
    low, high = axes.bbox.min + dpi * LETTER_HEIGHT / 2, axes.bbox.max - dpi * LETTER_HEIGHT / 2
    for model, end in sorted(ends.items(), key=lambda item: (item[1][1], item[0])):
        places = axes.transData.transform(end) + _SHIFTS * LETTER_HEIGHT * dpi
        inside = ((places > low) & (places < high)).all(axis=1)
        off_letters = inside & _apart(places, written, LETTER_HEIGHT * dpi)
        free = off_letters & _apart(places, spots, LETTER_HEIGHT * dpi)
        # The first that is free, else the first off other letters, else the first.
        best = int(np.argmax(free * 2 + off_letters))
        written = np.vstack([written, places[best]])
        where = axes.transData.inverted().transform(places[best])
        look = {"ha": "center", "va": "center", "fontsize": style.SMALL}
        axes.text(*where, letters[model], **look)
        if np.abs(_SHIFTS[best]).max() > 1:
            short = np.add(end, (1 - 0.7 / np.hypot(*_SHIFTS[best])) * np.subtract(where, end))
            axes.plot(*np.transpose([end, short]), color=style.GREY, linewidth=0.3)


def _apart(places: np.ndarray, others: np.ndarray, distance: float) -> np.ndarray:
    """Which places are no nearer than `distance` to any of the others, across or up."""
    gaps = np.abs(places[:, None] - others[None]).max(axis=2)
    return (gaps >= distance).all(axis=1)


# Places around a point, in heights of a letter, the nearest first and those to its right before.
_SHIFTS = np.array(
    sorted(
        ((x, y) for x in range(-4, 5) for y in range(-9, 10) if x),
        key=lambda place: (place[0] ** 2 + place[1] ** 2, -place[0], place[1]),
    ),
    dtype=float,
)
