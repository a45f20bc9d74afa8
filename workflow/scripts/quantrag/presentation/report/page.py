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
from quantrag.presentation.report.explorer import to_json
from quantrag.presentation.report.summary import Summary
from quantrag.presentation.report.views import Figure

FOLDER = Path(__file__).parent / "assets"
SCRIPTS = ("charts.js", "tables.js", "explorer.js")
ASSETS = ("page.html.j2", "page.css", *SCRIPTS)

_TITLES = {
    "comparisons": ("Comparisons with the baseline", "Every precision against the baseline."),
    "scores": ("Scores", "The score of every cell, with bootstrap intervals."),
    "trends": (
        "Trends",
        "Change of the difference to the baseline per doubling of the prompt's tokens.",
    ),
    "costs": ("Costs", "What generation took over the whole grid."),
    "checkpoints": (
        "Checkpoints",
        "Errors are means over the layers that were quantized here. Perplexity is on evaluated "
        "texts; lower is better.",
    ),
    "retrievers": ("Agreement of the retrievers", "Means over the queries; 1 is full agreement."),
    "replication": ("Replication", "Published values beside ours."),
}
# Columns that the page shows, and how many decimals; None: names as they are printed.
_COLUMNS = {
    "comparisons": {
        "task": None, "metric": None, "model": None, "precision": None, "retriever": None,
        "k": None, "verdict": None, "difference": 4, "ci_low": 4, "ci_high": 4, "margin": 4,
        "p_holm": 4, "p_equivalence": 4, "min_detectable_holm": 4, "flip_rate": 3,
        "noise_flip_rate": 3, "n": 0,
    },
    "scores": {
        "task": None, "metric": None, "model": None, "precision": None, "retriever": None,
        "k": None, "value": 4, "ci_low": 4, "ci_high": 4, "n": 0, "unparseable_rate": 3,
    },
    "trends": {
        "task": None, "metric": None, "model": None, "precision": None, "retriever": None,
        "slope_per_doubling": 4, "ci_low": 4, "ci_high": 4, "p_holm": 4, "n": 0,
    },
    "costs": {
        "model": None, "precision": None, "engine": None, "device": None, "weights_gib": 2,
        "peak_memory_gib": 2, "load_s": 1, "prompt_tokens": 0, "cached_tokens": 0,
        "output_tokens": 0, "prompt_tokens_per_s": 1, "output_tokens_per_s": 1, "energy_wh": 2,
    },
    "checkpoints": {
        "model": None, "precision": None, "method": None, "weight_gib": 3, "bits_per_weight": 2,
        "weight_error": 4, "output_error": 4, "perplexity": 2, "perplexity_tokens": 0,
    },
    "retrievers": {
        "task": None, "retriever_a": None, "retriever_b": None, "top1": 3, "top5": 3, "rbo": 3,
        "n": 0,
    },
    "replication": {
        "task": None, "metric": None, "model": None, "precision": None, "retriever": None,
        "k": None, "published": 4, "ours": 4, "ci_low": 4, "ci_high": 4, "difference": 4,
        "status": None, "source": None,
    },
}  # fmt: skip
_LABELS = {
    "ci_low": "from", "ci_high": "to", "p_holm": "adjusted p", "p_equivalence": "p of equivalence",
    "min_detectable_holm": "smallest detectable", "flip_rate": "changed answers",
    "noise_flip_rate": "noise floor", "unparseable_rate": "not readable",
    "slope_per_doubling": "slope per doubling", "weights_gib": "weights (GiB)",
    "weight_gib": "all weights (GiB)", "weight_error": "error of weights",
    "output_error": "error of outputs",
    "peak_memory_gib": "peak memory (GiB)", "load_s": "loading (s)",
    "prompt_tokens_per_s": "prompt tokens/s", "output_tokens_per_s": "output tokens/s",
    "energy_wh": "energy (Wh)", "retriever_a": "retriever", "retriever_b": "and",
    "top1": "same first", "top5": "first five", "rbo": "RBO",
}  # fmt: skip


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
        runs: as `record.run_records` gives them.
        times: as `record.rule_times` gives them.
        software: versions by name.
        config: the configuration as text.
    """

    experiment: str
    grid: str
    summary: Summary
    warnings: Sequence[str]
    figures: Sequence[Figure]
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
        tables=[_table(name, page.tables[name]) for name in _TITLES if name in page.tables],
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
    title, caption = _TITLES[name]
    if name == "checkpoints":  # the figure has its layers
        frame = frame[frame["module"].fillna("") == ""]
        frame = frame.assign(weight_gib=frame["weight_bytes"] / 2**30)
    shown = {column: digits for column, digits in _COLUMNS[name].items() if column in frame}
    columns = [
        {"label": _LABELS.get(column, column.replace("_", " ")), "number": digits is not None}
        for column, digits in shown.items()
    ]
    cells = [
        [_cell(column, digits, value) for value in frame[column].tolist()]
        for column, digits in shown.items()
    ]
    rows = [list(row) for row in zip(*cells, strict=True)]
    return {
        "title": title, "caption": caption, "columns": columns, "rows": rows,
        "open": name in ("comparisons", "costs", "checkpoints") and len(rows) <= 40,
    }  # fmt: skip


def _cell(column: str, digits: int | None, value: Any) -> dict[str, Any]:
    if digits is None:
        if column == "metric":
            return {"text": labels.metric(value).label, "sort": None}
        if column == "k":
            k = K.parse(value)
            return {"text": k.label, "sort": k.number + 1_000_000 * k.fills}
        named = column in ("task", "precision", "retriever", "retriever_a", "retriever_b")
        return {"text": labels.name(value) if named else value, "sort": None}
    if pd.isna(value):
        return {"text": "–", "sort": ""}
    return {"text": f"{value:,.{digits}f}".replace("-", "−"), "sort": f"{value:.10g}"}
