"""The page itself: a template filled with the summary, figures, tables, explorer and provenance."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import vl_convert
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from quantrag.grid import K
from quantrag.presentation import labels
from quantrag.presentation.catalogue import TABLES
from quantrag.presentation.columns import COLUMNS
from quantrag.presentation.report.explorer import to_json
from quantrag.presentation.report.summary import Summary
from quantrag.presentation.report.views import ReportFigure
from quantrag.statistics.trends import ALL

FOLDER = Path(__file__).parent / "assets"
SCRIPTS = ("charts.js", "tables.js", "explorer.js")
ASSETS = ("page.html.j2", "page.css", *SCRIPTS)
MOST_OPEN_ROWS = 40  # of a table that is shown at once


@dataclass(frozen=True)
class Page:
    """What the template shows.

    Attributes:
        experiment: its name.
        grid: what was run, in a line.
        summary: in words.
        warnings: that stand before everything else.
        figures: with at least one view each.
        tables: by name, as read from `tables/*.csv`.
        explorer: one entry of `explorer.task_json` for each task; empty where there is none.
        explorer_grid: what the explorer's switches choose from.
        runs: as `provenance_section.run_records` gives them.
        times: as `provenance_section.rule_times` gives them.
        software: versions by name.
        config: the configuration as text.
    """

    experiment: str
    grid: str
    summary: Summary
    warnings: Sequence[str]
    figures: Sequence[ReportFigure]
    tables: Mapping[str, pd.DataFrame]
    explorer: Sequence[Mapping[str, Any]]
    explorer_grid: Mapping[str, Any]
    runs: Sequence[Mapping[str, str]]
    times: Sequence[Mapping[str, Any]]
    software: Mapping[str, str]
    config: str


def render(page: Page) -> str:
    """The page as HTML that needs no other file and no network."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, autoescape=True,
        trim_blocks=True,
    )  # fmt: skip
    read = {name: (FOLDER / name).read_text(encoding="utf-8") for name in ASSETS}
    figures = [
        {"name": figure.name, "views": [_view(asdict(view)) for view in figure.views]}
        for figure in page.figures
    ]
    # Each script's names stay its own.
    scripts = "\n".join(f"(() => {{\n{read[name]}}})();" for name in SCRIPTS)
    return environment.get_template("page.html.j2").render(
        experiment=page.experiment,
        grid=page.grid,
        summary=page.summary,
        warnings=page.warnings,
        figures=page.figures,
        figures_json=to_json(figures),
        tables=[_table(name, page.tables[name]) for name in TABLES if name in page.tables],
        explorer=[to_json(task) for task in page.explorer],
        explorer_grid=to_json(page.explorer_grid),
        runs=page.runs,
        times=page.times,
        software=page.software,
        config=page.config,
        css=read["page.css"],
        runtime=f"(() => {{\n{_runtime()}\n}})();",
        scripts=scripts,
    )


@functools.cache
def _runtime() -> str:
    """Vega, Vega-Lite and vega-embed, as `window.vegaEmbed`."""
    code = vl_convert.javascript_bundle()
    # Would end the script element; in JavaScript the backslash changes nothing.
    return code.replace("</script", "<\\/script")


def _view(view: dict[str, Any]) -> dict[str, Any]:
    return {"rowHeight": view.pop("row_height"), **view}


def _table(name: str, frame: pd.DataFrame) -> dict[str, Any]:
    """A table as the template shows it: cells with a text and, for numbers, what they sort by."""
    entry = TABLES[name]
    if name == "checkpoints":  # the figure has its layers
        frame = frame[frame["module"].fillna("") == ""]
        frame = frame.assign(weight_gib=frame["weight_bytes"] / 2**30)
    shown = [COLUMNS[column] for column in entry.shown if column in frame]
    columns = [{"label": column.label, "number": column.digits is not None} for column in shown]
    cells = [
        [_cell(column.name, column.digits, value) for value in frame[column.name].tolist()]
        for column in shown
    ]
    rows = [list(row) for row in zip(*cells, strict=True)]
    return {
        "title": entry.title, "caption": entry.caption, "columns": columns, "rows": rows,
        "open": entry.opens and len(rows) <= MOST_OPEN_ROWS,
    }  # fmt: skip


def _cell(column: str, digits: int | None, value: Any) -> dict[str, Any]:
    if digits is None:
        if column == "metric":
            return {"text": labels.metric(value).label, "sort": None}
        if column == "k" and value != ALL:
            k = K.parse(value)
            return {"text": k.label, "sort": k.number + 1_000_000 * k.fills}
        named = column in ("task", "precision", "retriever", "retriever_a", "retriever_b")
        return {"text": labels.name(value) if named else value, "sort": None}
    if pd.isna(value):
        return {"text": "–", "sort": ""}
    return {"text": f"{value:,.{digits}f}".replace("-", "−"), "sort": f"{value:.10g}"}
