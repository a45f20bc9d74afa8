"""What the page's figures are made of: sheets, and the parts that their specifications share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from quantrag.grid import K
from quantrag.presentation import labels
from quantrag.presentation.data import OrderedNames, along_k
from quantrag.statistics.comparisons import FEW_DIFFERING

COLORS = [f"var(--p{i})" for i in range(7)]  # in page.css; the first is the baseline's
DASHES = [[1, 0], [5, 3], [1, 2], [6, 2, 1, 2], [9, 3], [6, 2, 1, 2, 1, 2], [2, 2]]
SHAPES = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right"]
ROWS = alt.NamedData("rows")  # which the page fills in
#: Columns of a row that the page's switches act on, and what each is called there.
SWITCHES = {"model": "Model", "precision": "Precision", "retriever": "Retriever"}


@dataclass(frozen=True)
class View:
    """One sheet of a figure: a task and metric.

    Attributes:
        label: what the page calls it.
        spec: Vega-Lite, without data and sizes.
        rows: its data; the columns `SWITCHES`, where they exist, hold names in print.
        description: what a reader who can't see it should know.
        row_height: pixels for each row of a panel, where a panel's height follows its rows; 0 for
            a fixed height.
    """

    label: str
    spec: dict[str, Any]
    rows: list[dict[str, Any]]
    description: str
    row_height: int = 0


@dataclass(frozen=True)
class ReportFigure:
    """A figure of the page, with a view for each task and metric."""

    name: str
    title: str
    caption: str
    views: list[View]


def marks(column: str, names: list[str], places: Sequence[int]) -> dict[str, Any]:
    """Colour, shape and dashes by the values of a column; the page's style gives the colours.

    Args:
        column: of the rows.
        names: its values, in the order of the legend.
        places: the look of each, by number; no two of the first 49 are the same.
    """

    def scale(looks: list, shift: int) -> alt.Scale:
        chosen = [looks[(place + shift * (place // len(looks))) % len(looks)] for place in places]
        return alt.Scale(domain=names, range=chosen)

    legend = alt.Legend(title=None)
    return {
        "color": alt.Color(f"{column}:N", scale=scale(COLORS, 0), legend=legend),
        "shape": alt.Shape(f"{column}:N", scale=scale(SHAPES, 1), legend=legend),
        "strokeDash": alt.StrokeDash(f"{column}:N", scale=scale(DASHES, 1), legend=legend),
    }


def over_k(names: OrderedNames) -> alt.Chart:
    """A chart without marks whose horizontal axis has a place for each k."""
    order = [K.parse(k).label for k in names.ks]
    axis = alt.Axis(labelAngle=0, title=labels.k_axis_label(names.ks).partition(" (")[0])
    return alt.Chart().encode(x=alt.X("k:O", sort=order, axis=axis, scale=alt.Scale(domain=order)))


def precision_marks(names: OrderedNames, compared: bool = False) -> dict[str, Any]:
    """The look of each precision.

    It is the same in every figure, in those that have only the `compared` ones too.
    """
    places = range(len(names.precisions))[int(compared) :]
    return marks("precision", [labels.name(names.precisions[i]) for i in places], places)


def facet(parts: list[alt.Chart]) -> dict[str, Any]:
    """Specification of layers in panels, side by side as the page has room for."""
    facet = alt.Facet("panel:N", title=None, sort=None)
    return (
        alt.layer(*parts)
        .facet(facet, data=ROWS, columns=2)
        .resolve_axis(x="independent")
        .to_dict(validate=False)
    )


def layered(parts: list[alt.Chart]) -> dict[str, Any]:
    """Specification of layers in one panel."""
    return alt.layer(*parts, data=ROWS).to_dict(validate=False)


def lines(
    table: pd.DataFrame, names: OrderedNames, precisions: list[str], columns: list[str]
) -> list[dict[str, Any]]:
    """Rows along k, a panel for each model and retriever; k = 0 is in every retriever's line."""
    rows = []
    for model in names.models:
        for retriever in names.retrievers:
            for precision in precisions:
                where = {"model": model, "precision": precision}
                for row in along_k(table, retriever, names.ks, **where).to_dict("records"):
                    named = printed({**row, "retriever": retriever})
                    panel = f"{named['model']}, {named['retriever']}"
                    entry = {"panel": panel, **named}
                    entry["k"] = K.parse(row["k"]).label
                    rows.append(entry | {column: plain(row[column]) for column in columns})
    return rows


def printed(row: Mapping[str, Any]) -> dict[str, str]:
    """The switches' columns of a row as the page prints them."""
    names = {column: str(row[column]) for column in SWITCHES if column in row}
    return {c: text if c == "model" else labels.name(text) for c, text in names.items()}


def plain(value: Any) -> Any:
    """A value as JSON has it, floats with six significant digits."""
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return None
    return int(value) if float(value).is_integer() else float(f"{value:.6g}")


def tips(*columns: str) -> list[alt.Tooltip]:
    """Names that a mark tells when it is pointed at."""
    titles = {
        "k": "k",
        "cell": "Prompt",
        "place": "Evidence",
        "a": "Retriever",
        "b": "and",
        "verdict": "Verdict",
    }
    return [alt.Tooltip(f"{c}:N", title=titles.get(c) or SWITCHES[c]) for c in columns]


def tip(column: str, title: str, number: str = ".4f") -> alt.Tooltip:
    """A number that a mark tells, in a format of d3-format."""
    return alt.Tooltip(f"{column}:Q", title=title, format=number)


def comparison_tips(level: str) -> list[alt.Tooltip]:
    """The numbers of a comparison: difference, interval, margin, p-value."""
    return [
        tip("difference", "Difference", "+.4f"),
        tip("ci_low", f"{level} from"),
        tip("ci_high", "to"),
        tip("margin", "Margin ±"),
        tip("p_holm", "Adjusted p", ".3g"),
    ]


def comparison_row(row: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """A row for `comparison_layers`, with the numbers of some columns of the table."""
    numbers = {column: plain(row[column]) for column in columns}
    margin = numbers["margin"]
    return {
        "panel": f"{row['model']}, {labels.name(row['precision'])}",
        **printed(row),
        **numbers,
        "margin_low": None if margin is None else -margin,
    }


def comparison_layers(
    column: str, order: Sequence[str], title: str, tooltip: list[alt.Tooltip], extra: str = ""
) -> list[alt.Chart]:
    """A line for each comparison: margin, interval, and the verdict as a mark.

    Args:
        column: of the rows, what a line is called.
        order: of the lines.
        title: of the horizontal axis.
        tooltip: what a mark tells.
        extra: a verdict beside `labels.VERDICTS`: of rows that have none.
    """
    verdicts = [*labels.VERDICTS, *([extra] if extra else [])]
    colors = [*(f"var(--{verdict})" for verdict in labels.VERDICTS), "var(--ink)"]
    shapes = ["triangle-down", "triangle-up", "square", "circle", "diamond"]
    color, shape = (
        alt.Scale(domain=verdicts, range=looks[: len(verdicts)]) for looks in (colors, shapes)
    )
    color = alt.Color("verdict:N", scale=color, legend=alt.Legend(title=None))
    base = alt.Chart().encode(y=alt.Y(f"{column}:N", sort=order, title=None), tooltip=tooltip)
    return [
        base.mark_bar(opacity=0.22, color="#56B4E9", height=14).encode(
            x=alt.X("margin_low:Q", title=title), x2="margin:Q"
        ),
        alt.Chart().mark_rule(opacity=0.6).encode(x=alt.datum(0)),
        base.mark_rule(strokeWidth=1.6).encode(
            x=alt.X("ci_low:Q", title=title), x2="ci_high:Q", color=color
        ),
        base.mark_point(size=60, filled=True, opacity=1).encode(
            x=alt.X("difference:Q", title=title),
            color=color,
            shape=alt.Shape("verdict:N", scale=shape),
        ),
        # Hollow: little is known where few scores differ.
        base.mark_point(filled=True, opacity=1, color="var(--paper)").encode(
            x=alt.X("difference:Q", title=title),
            size=alt.condition(alt.datum.n_differing < FEW_DIFFERING, alt.value(12), alt.value(0)),
        ),
    ]


def count_tip(column: str) -> alt.Tooltip:
    """A count that a mark tells."""
    return alt.Tooltip(f"{column}:Q", title="Answers", format=",")


def view_label(task: str, metric: labels.Metric) -> str:
    """What the page calls the sheet of a task and metric."""
    return f"{labels.name(task)}, {metric.label}"
