"""From the files of an experiment to its page."""

import json
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from quantrag.errors import UserError
from quantrag.grid import Cell, K
from quantrag.names import NO_RETRIEVER, NOISE_FLOOR
from quantrag.presentation import labels
from quantrag.presentation.criteria import Criteria
from quantrag.presentation.data import OrderedNames, ordered_names, read_csv, read_tables
from quantrag.presentation.report import explorer, provenance_section
from quantrag.presentation.report.charts import report_figures
from quantrag.presentation.report.page import Page, render
from quantrag.presentation.report.summary import Summary, as_text, summary_of
from quantrag.statistics.comparisons import COMPARISON_COLUMNS
from quantrag.statistics.trends import TREND_COLUMNS
from quantrag.tables import read_metadata
from quantrag.tasks.registry import is_invented, load_all
from quantrag.tasks.schemas import RECORDS
from quantrag.tasks.task import Task

log = logging.getLogger(__name__)

_PROMPT = ["query_id", "k", "prompt", "n_tokens", "document_ids", "dropped", "truncated"]


@dataclass(frozen=True)
class ReportFiles:
    """What the page is made from.

    Attributes:
        tables: `tables/*.csv` by name.
        queries: `queries.parquet` by task.
        prompts: `prompts/{model}/{task}/{retriever}.parquet`.
        completions: `completions/{model}/{precision}/{task}/{retriever}/k{k}.parquet`.
        scores: `scores/{model}/{precision}.parquet`.
        costs: `costs/{model}/{precision}.json`.
        benchmarks: folder of Snakemake's benchmarks, which may lack any of its files.
        documents: `documents.parquet` of the tasks with a shared corpus, by task.
    """

    tables: Mapping[str, str]
    queries: Mapping[str, str]
    prompts: Sequence[str]
    completions: Sequence[str]
    scores: Sequence[str]
    costs: Sequence[str]
    benchmarks: str
    documents: Mapping[str, str] = field(default_factory=dict)


def make_report(files: ReportFiles, config: Mapping[str, Any]) -> str:
    """The page of an experiment as HTML.

    Args:
        files: all of the experiment.
        config: the configuration, with defaults.

    Raises:
        UserError: a file is missing or isn't what its name says.
    """
    tables, tasks = page_tables(files.tables), load_all(config["tasks"])
    names = ordered_names(tables["scores"], tables["comparisons"], baseline=config["baseline"])
    precisions = [*names.precisions, *([NOISE_FLOOR] if config["noise_floor"] else [])]
    runs = [(model, precision) for model in names.models for precision in precisions]
    return page_of(
        tables,
        names,
        tasks,
        config,
        explored=(_task(task, files, config, names.models, precisions) for task in tasks),
        cells=_cells(files.completions),
        precisions=precisions,
        warnings=[*_warnings(config), *_unpacked(files.costs), *_left_out(files.queries)],
        runs=provenance_section.run_records(
            [_of_run(files.completions, run, 5) for run in runs],
            [_of_run(files.costs, run, 2) for run in runs],
        ),
        benchmarks=files.benchmarks,
    )


def page_of(
    tables: Mapping[str, pd.DataFrame],
    names: OrderedNames,
    tasks: Sequence[Task],
    config: Mapping[str, Any],
    *,
    explored: Iterable[Mapping[str, Any]],
    cells: Sequence[tuple[str, str]],
    precisions: Sequence[str],
    warnings: Sequence[str],
    runs: Sequence[Mapping[str, str]],
    benchmarks: str,
) -> str:
    """The page as HTML.

    Args:
        tables: from `page_tables`.
        names: of the experiment, in their order.
        tasks: of the experiment.
        config: the configuration, with defaults.
        explored: `explorer.task_json` of each task; none where there is nothing to explore.
        cells: (retriever, k) that the explorer has.
        precisions: that the explorer has, the noise floor's too.
        warnings: that stand before everything else.
        runs: as `provenance_section.run_records` gives them.
        benchmarks: folder of Snakemake's benchmarks, which may lack any of its files.
    """
    criteria = criteria_of(config, tasks)
    shown, notes = [], []
    for task, data in zip(tasks, explored, strict=False):
        shown.append(data)
        notes.append(explorer.sampling_note(data["taken"], data["total"], config["seed"]))
        log.info("%s: %s", task.name, notes[-1])
    return render(
        Page(
            experiment=config["experiment"],
            grid=grid_line(names),
            summary=_summary(tables, criteria),
            warnings=warnings,
            figures=report_figures(tables, criteria.confidence),
            tables=tables,
            explorer=shown,
            explorer_grid=switches(names, precisions, cells, notes),
            runs=runs,
            times=provenance_section.rule_times(benchmarks),
            software=provenance_section.software(Path(__file__).parent),
            config=provenance_section.config_text(config),
        )
    )


def summary_text(files: Mapping[str, str], config: Mapping[str, Any]) -> str:
    """The page's first sentences as plain text, for a terminal.

    Args:
        files: `tables/*.csv` by name.
        config: the configuration, with defaults.
    """
    names = ("comparisons", "trends", "pooled", "evidence")
    needed = {name: files[name] for name in names if name in files}
    criteria = criteria_of(config, load_all(config["tasks"]))
    return as_text(_summary(page_tables(needed), criteria))


def _summary(tables: Mapping[str, pd.DataFrame], criteria: Criteria) -> Summary:
    trends = tables.get("trends", pd.DataFrame(columns=TREND_COLUMNS))
    others = tables.get("pooled"), tables.get("evidence")
    return summary_of(tables["comparisons"], trends, criteria, *others)


def page_tables(files: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """All tables by name; without comparisons their columns are still there."""
    others = {name: path for name, path in files.items() if name != "comparisons"}
    comparisons = read_csv(files["comparisons"], COMPARISON_COLUMNS)
    return {**read_tables(others), "comparisons": comparisons}


def criteria_of(config: Mapping[str, Any], tasks: Sequence[Task]) -> Criteria:
    """What the page says of the tests and of what was resampled."""
    statistics = config["statistics"]
    # Recorded answers have no such section.
    generation = config.get("generation", {"engine": None})
    return Criteria(
        statistics["confidence"],
        statistics["margin"],
        statistics["power"],
        {task.name: task.cluster.plural for task in tasks},
        generation["engine"] == "vllm" and generation["vllm"]["batch_invariant"],
    )


def _task(
    task: Task,
    files: ReportFiles,
    config: Mapping[str, Any],
    models: Sequence[str],
    precisions: Sequence[str],
) -> dict[str, Any]:
    """The explorer's data of one task."""
    documents = files.documents.get(task.name)
    columns = ["query_id", "cluster_id", "golds"]
    columns += ["query_text", "evidence", "metadata"] if documents else []
    queries = _read(files.queries[task.name], columns)
    sample = explorer.draw_sample(queries["query_id"].tolist(), config["seed"])
    of_task = [path for path in files.prompts if Path(path).parts[-2] == task.name]
    prompts = {
        (Path(path).parts[-3], Path(path).stem): _read(path, _PROMPT, sample) for path in of_task
    }
    separator = read_metadata(of_task[0]).get("separator", "")
    measured = [metric.columns[0] for metric in explorer.measures_of(task)]
    columns = ["query_id", "valid", "flip_key", *measured]
    answers = {}
    for model in models:
        for precision in precisions:
            path = _of_run(files.scores, (model, precision), 2)
            scores = _read(path, ["task", "retriever", "k", *columns], sample)
            scores = scores[scores["task"] == task.name]
            for (retriever, k), part in scores.groupby(["retriever", "k"], sort=False):
                cell = Cell(task.name, retriever, K.parse(k))
                file = _of_cell(files.completions, (model, precision), cell)
                texts = _read(file, ["query_id", "text"], sample)
                answers[model, precision, retriever, k] = part[columns].merge(texts, on="query_id")
    return explorer.task_json(
        explorer.TaskData(
            task,
            queries,
            separator,
            documents and _passages(documents, queries, sample, prompts.values()),
        ),
        sample,
        models,
        precisions,
        _cells(files.completions),
        prompts,
        answers,
        explorer.BUDGET // len(config["tasks"]),
    )


def _passages(
    path: str, queries: pd.DataFrame, sample: Sequence[str], prompts: Iterable[pd.DataFrame]
) -> dict[str, tuple[str, str]]:
    """Title and text of the documents that are in a prompt or are evidence, by id."""
    evidence = queries.loc[queries["query_id"].isin(set(sample)), "evidence"]
    lists = [evidence, *(frame["document_ids"] for frame in prompts)]
    ids = {name for column in lists for own in column for name in own}
    found = _read(path, ["document_id", "target", "text"], ids, "document_id")
    return {name: (title, text) for name, title, text in found.itertuples(index=False)}


def _read(
    path: str, columns: list[str], ids: Collection[str] | None = None, key: str = "query_id"
) -> pd.DataFrame:
    """Columns of a Parquet file, the rows of some ids only: prompts of all may take gigabytes."""
    filters = None if ids is None else [(key, "in", list(ids))]
    try:
        return pq.read_table(path, columns=columns, filters=filters, partitioning=None).to_pandas()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file.") from None


def _cells(completions: Sequence[str]) -> list[tuple[str, str]]:
    """(retriever, k) of the grid: without retrieval first, then retriever by retriever."""
    cells = map(Cell.parse, completions)
    found = dict.fromkeys((cell.retriever, str(cell.k)) for cell in cells)
    return sorted(found, key=lambda cell: cell[0] != NO_RETRIEVER)


def _of_run(paths: Sequence[str], run: tuple[str, str], depth: int) -> str:
    """The first of the paths whose folders (or name) say this model and precision."""
    return next(path for path in paths if _ends(path, depth)[:2] == run)


def _of_cell(paths: Sequence[str], run: tuple[str, str], cell: Cell) -> str:
    """The completions file of a model, precision and cell."""
    return next(path for path in paths if path.endswith("/".join(["", *run, cell.file])))


def _ends(path: str, depth: int) -> tuple[str, ...]:
    """The last parts of a path, without the name's suffix."""
    parts = Path(path).parts[-depth:]
    return (*parts[:-1], Path(path).stem)


def switches(
    names: OrderedNames,
    precisions: Sequence[str],
    cells: Sequence[tuple[str, str]],
    notes: Sequence[str],
) -> dict[str, Any]:
    """What the explorer's switches choose from, keys and what they are called."""
    return {
        "tasks": [labels.name(task) for task in names.tasks],
        "models": names.models,
        "precisions": [labels.name(precision) for precision in precisions],
        "retrievers": [{"key": r, "label": labels.name(r)} for r in names.retrievers],
        "ks": [{"key": k, "label": _k_text(K.parse(k))} for k in names.ks],
        "cells": list(cells),
        "notes": list(notes),
    }


def _k_text(k: K) -> str:
    if not k.needs_retriever:
        return f"{k} (no retrieval)"
    return f"all that fit in {k.label} tokens" if k.fills else str(k)


def grid_line(names: OrderedNames) -> str:
    """What was run, in a line."""
    counted = [
        _counted(names.tasks, "task"),
        _counted(names.models, "model"),
        _counted(names.precisions, "precision"),
        _counted([r for r in names.retrievers if r != NO_RETRIEVER], "retriever"),
    ]
    ks = ", ".join(K.parse(k).label for k in names.ks)
    return f"{'; '.join(filter(None, counted))}; k = {ks}."


def _counted(names: Sequence[str], what: str) -> str:
    if not names:
        return ""
    printed = ", ".join(n if what == "model" else labels.name(n) for n in names)
    return f"{what}{'s' * (len(names) > 1)} {printed}"


def _left_out(queries: Mapping[str, str]) -> Iterator[str]:
    """What was in a task's files and isn't in the numbers, or not as it seems."""
    for task, path in queries.items():
        records = json.loads(read_metadata(path).get(RECORDS, "{}"))
        empty = records.get("empty_profiles", 0)
        if empty:
            yield (
                f"{labels.name(task)}: the profiles of {empty:,} queries are empty; they get no "
                "documents at any k."
            )
        dropped = [
            f"{number:,} of {total:,} {kind}"
            for kind, (number, total) in records.get("dropped", {}).items()
        ]
        if dropped:
            yield f"{labels.name(task)}: {', '.join(dropped)} were unusable and left out."


def _unpacked(costs: Sequence[str]) -> Iterator[str]:
    """Precisions whose speed and memory mean nothing because their weights were unpacked."""
    found = [json.loads(Path(path).read_text(encoding="utf-8"))["provenance"] for path in costs]
    names = [
        f"{labels.name(origin['precision'])} of {origin['model']}"
        for origin in found
        if any(report.get("unpacked") for report in origin["engine_reports"])
    ]
    if names:
        yield (
            f"On this CPU, the weights of {', '.join(names)} were unpacked to 16 or more bits when "
            "they were loaded. The answers are those of the quantized model; speed and memory are "
            "those of the unpacked one."
        )


def _warnings(config: Mapping[str, Any]) -> Iterator[str]:
    """What must be known before any number is believed."""
    made = [t for t, entry in config["tasks"].items() if is_invented(entry)]
    if made:
        yield (
            f"The texts of {' and '.join(map(labels.name, made))} were written by a program: this "
            "shows how the workflow works and says nothing about quantization."
        )
    unpacked = [
        m for m, entry in config["models"].items() if entry["source"]["kind"] == "gguf-package"
    ]
    if unpacked:
        yield (
            f"The baseline weights of {', '.join(unpacked)} were unpacked from a quantized file, "
            "so the baseline is not an original."
        )
