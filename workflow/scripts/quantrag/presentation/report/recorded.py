"""The page of an experiment whose answers were recorded elsewhere.

It has no prompts, costs or provenance of a generation: the question stands where a prompt does, and
the configuration says which files the answers come from.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from quantrag.names import NO_RETRIEVER
from quantrag.presentation import labels
from quantrag.presentation.data import OrderedNames, ordered_names
from quantrag.presentation.report import explorer
from quantrag.presentation.report.assemble import page_of, page_tables
from quantrag.recorded.scores import LEFT_OUT
from quantrag.tables import read_metadata, read_table
from quantrag.tasks.registry import load_all
from quantrag.tasks.task import Task

_SYSTEM = ["model", "precision", "retriever", "k"]


@dataclass(frozen=True)
class RecordedFiles:
    """What the page is made from.

    Attributes:
        tables: `tables/*.csv` by name.
        queries: the items of each task, by task.
        answers: `answers/{task}.parquet` by task.
        scores: `scores/{task}.parquet` by task.
        benchmarks: folder of Snakemake's benchmarks, which may lack any of its files.
    """

    tables: Mapping[str, str]
    queries: Mapping[str, str]
    answers: Mapping[str, str]
    scores: Mapping[str, str]
    benchmarks: str


def make_recorded_report(files: RecordedFiles, config: Mapping[str, Any]) -> str:
    """The page of an experiment with recorded answers as HTML.

    Args:
        files: all of the experiment.
        config: the configuration, with defaults.

    Raises:
        UserError: a file is missing or isn't what its name says.
    """
    tables, tasks = page_tables(files.tables), load_all(config["tasks"])
    names = ordered_names(tables["scores"], tables["comparisons"], baseline=config["baseline"])
    answers = {task.name: read_table(files.answers[task.name]) for task in tasks}
    cells, precisions = _complete_part(answers, names)
    explored = (
        _task(task, files, answers[task.name], config, names.models, precisions, cells)
        for task in (tasks if cells else ())
    )
    return page_of(
        tables,
        names,
        tasks,
        config,
        explored=explored,
        cells=cells,
        precisions=precisions,
        warnings=[*_left_out(files.queries), *_no_slopes(tables)],
        runs=[],
        benchmarks=files.benchmarks,
    )


def _complete_part(
    answers: Mapping[str, pd.DataFrame], names: OrderedNames
) -> tuple[list[tuple[str, str]], list[str]]:
    """The cells (retriever, k) and precisions that every task and model has texts of.

    None where texts are missing or the baseline isn't among them: the explorer sets answers side by
    side. A noise floor that was recorded in some cells only doesn't stand there.
    """
    have = [
        {
            tuple(system)
            for system in frame.loc[frame["text"].notna(), _SYSTEM].drop_duplicates().to_numpy()
        }
        for frame in answers.values()
    ]
    every = [
        set.intersection(*({s[1:] for s in of_task if s[0] == model} for of_task in have))
        for model in names.models
    ]
    everywhere = set.intersection(*every)
    cells = [
        (retriever, k) for precision, retriever, k in everywhere if precision == names.baseline
    ]
    order = {retriever: n for n, retriever in enumerate([NO_RETRIEVER, *names.retrievers])}
    cells.sort(key=lambda cell: (order[cell[0]], names.ks.index(cell[1])))
    found = dict.fromkeys(p for frame in answers.values() for p in frame["precision"].unique())
    precisions = [names.baseline, *(p for p in found if p != names.baseline)]
    complete = [p for p in precisions if all((p, *cell) in everywhere for cell in cells)]
    return cells, complete


def _task(
    task: Task,
    files: RecordedFiles,
    answers: pd.DataFrame,
    config: Mapping[str, Any],
    models: Sequence[str],
    precisions: Sequence[str],
    cells: Sequence[tuple[str, str]],
) -> dict[str, Any]:
    """The explorer's data of one task; an item's question stands for its prompt."""
    queries = read_table(files.queries[task.name])
    sample = explorer.draw_sample(queries["query_id"].tolist(), config["seed"])
    prompts = queries[["query_id"]].assign(
        prompt=queries["input"], n_tokens=0, document_ids=[[] for _ in range(len(queries))],
        dropped=0, truncated=False,
    )  # fmt: skip
    by_retriever = {
        (model, retriever): pd.concat([prompts.assign(k=k) for r, k in cells if r == retriever])
        for model in models
        for retriever in dict.fromkeys(retriever for retriever, _ in cells)
    }
    measured = [metric.columns[0] for metric in explorer.measures_of(task)]
    scores = read_table(files.scores[task.name])
    scores = scores[scores["query_id"].isin(set(sample))]
    columns = [*_SYSTEM, "query_id", "valid", "flip_key", *measured]
    texts = answers[answers["query_id"].isin(set(sample))]
    joined = scores[columns].merge(texts, on=[*_SYSTEM, "query_id"])
    by_system = dict(iter(joined.groupby(_SYSTEM, sort=False)))
    return explorer.task_json(
        explorer.TaskData(task, queries[["query_id", "cluster_id", "golds"]], ""),
        sample,
        models,
        precisions,
        cells,
        by_retriever,
        by_system,
        explorer.BUDGET // len(config["tasks"]),
    )


def _left_out(queries: Mapping[str, str]) -> Iterator[str]:
    """Items that aren't in the numbers."""
    for task, path in queries.items():
        left_out = json.loads(read_metadata(path).get(LEFT_OUT, "{}"))
        if left_out:
            shown = "; ".join(f"{number:,} of {system}" for system, number in left_out.items())
            yield (
                f"{labels.name(task)}: items that not every system has an answer or a score of are "
                f"left out ({shown})."
            )


def _no_slopes(tables: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """That there are no trends, where k varies but the prompts' lengths are unknown."""
    trends = tables.get("trends")
    if trends is not None and trends["slope_per_doubling"].isna().all():
        yield (
            "The lengths of the prompts aren't recorded, so there are no trends over the context; "
            "the table of trends has at most the step from k = 0 to k ≥ 1."
        )
