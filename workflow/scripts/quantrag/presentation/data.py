"""Reading the tables: checked columns, stable orders, k = 0 in every retriever's line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from quantrag.errors import UserError
from quantrag.grid import K
from quantrag.names import NO_RETRIEVER, NOISE_FLOOR
from quantrag.presentation.catalogue import TABLES
from quantrag.presentation.columns import RETRIEVAL_MEASURES, TEXT_COLUMNS
from quantrag.scoring.metrics import METRICS, main_metric


def read_tables(paths: Mapping[str, str | Path]) -> dict[str, pd.DataFrame]:
    """Read tables by name, each with the columns that figures and publication tables use.

    Raises UserError as `read_csv` does.
    """
    return {name: read_csv(path, TABLES[name].required) for name, path in paths.items()}


def read_csv(path: str | Path, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Read a table of `tables/`.

    Args:
        path: the CSV file.
        columns: columns that must be there.

    Returns:
        The table in file order; names and k as str, everything else as pandas reads it, with NaN
        for an empty field.

    Raises:
        UserError: when the file is missing, empty or lacks a column.
    """
    try:
        header = pd.read_csv(path, nrows=0).columns
        missing = [column for column in columns if column not in header]
        if missing:
            raise UserError(f"{path}: no column {', '.join(missing)}; it has {', '.join(header)}.")
        return pd.read_csv(
            path,
            dtype={column: str for column in header if column in TEXT_COLUMNS},
            keep_default_na=False,
            na_values={column: ["", "nan"] for column in header if column not in TEXT_COLUMNS},
        )
    except FileNotFoundError:
        raise UserError(f"{path}: no such file.") from None
    except pd.errors.EmptyDataError:
        raise UserError(f"{path}: the file is empty.") from None


@dataclass(frozen=True)
class OrderedNames:
    """The names of an experiment in the order in which figures and tables show them."""

    tasks: list[str]
    models: list[str]
    precisions: list[str]
    retrievers: list[str]
    ks: list[str]

    @property
    def baseline(self) -> str:
        """The precision that the others are compared with."""
        return self.precisions[0]

    @property
    def compared(self) -> list[str]:
        """The precisions other than the baseline."""
        return self.precisions[1:]


def ordered_names(*tables: pd.DataFrame, baseline: str | None = None) -> OrderedNames:
    """Collect the names in tables.

    Tasks, models, precisions and retrievers keep the order of the tables' rows, but the baseline
    comes first (`baseline`, or what a column `baseline` says). The noise floor is not a
    precision, and k = 0 has no retriever: only a grid without any retrieval has the retriever
    `none`.
    """
    if baseline is None:
        named = [t["baseline"].iloc[0] for t in tables if "baseline" in t and len(t)]
        baseline = named[0] if named else None
    precisions = [p for p in _names(tables, "precision") if p not in (NOISE_FLOOR, baseline)]
    retrievers = [r for r in _names(tables, "retriever") if r != NO_RETRIEVER]
    return OrderedNames(
        tasks=_names(tables, "task"),
        models=_names(tables, "model"),
        precisions=[*([] if baseline is None else [baseline]), *precisions],
        retrievers=retrievers or [NO_RETRIEVER],
        ks=sorted(_names(tables, "k"), key=K.parse),
    )


def _names(tables: Iterable[pd.DataFrame], column: str) -> list[str]:
    found = (value for table in tables if column in table for value in table[column].unique())
    return list(dict.fromkeys(found))


def main_metrics(table: pd.DataFrame) -> dict[str, str]:
    """The metric that stands for each task."""
    return {
        task: main_metric(list(rows["metric"].unique())).key
        for task, rows in table.groupby("task", sort=False)
    }


def main_metrics_first(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of each task by metric: its main one, then the others in the order of `METRICS`."""
    main, places = main_metrics(table), {key: place for place, key in enumerate(METRICS)}
    ranks = [
        -1 if main[task] == metric else places.get(metric, len(places))
        for task, metric in zip(table["task"], table["metric"], strict=True)
    ]
    tasks, _ = pd.factorize(table["task"])
    return table.iloc[np.lexsort((ranks, tasks))]


def likelihood_metrics(table: pd.DataFrame) -> dict[str, str]:
    """The metric of likelihoods that stands beside each task's main one, where it has one."""
    found = {}
    for task, key in main_metrics(table).items():
        others = set(table.loc[table["task"] == task, "metric"]) - {key}
        measured = [k for k, m in METRICS.items() if k in others and m.per_likelihood is not None]
        found |= {task: measured[0]} if measured else {}
    return found


def keep_main_metrics(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of each task's main metric."""
    return table[table["metric"] == table["task"].map(main_metrics(table))]


def beside_likelihoods(comparisons: pd.DataFrame) -> pd.DataFrame:
    """The comparisons of each task's main metric, each beside that of its likelihood.

    Returns:
        The rows of tasks whose likelihoods were measured, with the columns `likelihood` (the
        metric's key) and `likelihood_difference`.
    """
    own = comparisons["metric"] == comparisons["task"].map(likelihood_metrics(comparisons))
    cell = ["task", "model", "precision", "retriever", "k"]
    names = {"metric": "likelihood", "difference": "likelihood_difference"}
    of_likelihood = comparisons.loc[own, [*cell, *names]].rename(columns=names)
    return keep_main_metrics(comparisons).merge(of_likelihood, on=cell)


def along_k(table: pd.DataFrame, retriever: str, ks: Sequence[str], **where: str) -> pd.DataFrame:
    """One line: the rows of a retriever in the order of k, k = 0 being everyone's first point.

    Args:
        table: rows with the columns retriever, k and those of `where`.
        retriever: whose line.
        ks: the axis.
        where: the other columns' values; they must leave at most one row for each k.

    Returns:
        The rows, with a column `x`: the position of their k in `ks`.
    """
    chosen = (table["retriever"] == retriever) | (table["retriever"] == NO_RETRIEVER)
    for column, value in where.items():
        chosen &= table[column] == value
    table = table[chosen]
    if table["k"].duplicated().any():
        raise ValueError(f"several rows for one k of {retriever}, {where}")
    positions = {k: x for x, k in enumerate(ks)}
    table = table.assign(x=table["k"].map(positions))
    return table.sort_values("x", kind="stable")


def measured_retrieval(retrieval: pd.DataFrame) -> pd.DataFrame:
    """`retrieval.csv` with a row for each measure, of the tasks whose evidence is known.

    Returns:
        Columns task, retriever, n, measure, value, ci_low, ci_high, and `x`: the measure's place.
    """
    known = retrieval[retrieval["n"] > 0]
    parts = [
        known[["task", "retriever", "n"]].assign(
            measure=measure,
            value=known[measure],
            ci_low=known[f"{measure}_low"],
            ci_high=known[f"{measure}_high"],
            x=x,
        )
        for x, measure in enumerate(RETRIEVAL_MEASURES)
    ]
    return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)
