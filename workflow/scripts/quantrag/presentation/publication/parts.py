"""What publication tables share: lines along k, numbers, marks of verdicts, pages."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from quantrag.grid import K
from quantrag.presentation import labels
from quantrag.presentation.criteria import Criteria
from quantrag.presentation.data import OrderedNames, along_k
from quantrag.presentation.publication.typesetting import Entry, PublicationTable, RowGroup

MARKS = {"worse": "-", "better": "+", "equivalent": "=", "inconclusive": ""}
MOST_ROWS = 48  # as many fit on a page
MISSING = "–"


class Block:
    """The lines of one retriever: a line for each model and precision, a column for each k."""

    def __init__(
        self,
        rows: pd.DataFrame,
        column: str,
        retriever: str,
        names: OrderedNames,
        precisions: Sequence[str],
        digits: int,
        signed: bool = False,
    ) -> None:
        self.retriever, self.digits, self.signed = retriever, digits, signed
        self.lines, values, self.verdicts = [], [], []
        for model in names.models:
            for precision in precisions:
                where = {"model": model, "precision": precision}
                line = along_k(rows, retriever, names.ks, **where).set_index("k").reindex(names.ks)
                if line[column].notna().any():
                    self.lines.append((model, precision))
                    values.append(line[column].to_numpy(dtype=float).round(digits))
                    self.verdicts.append(list(line["verdict"]))
        self.values = np.array(values).reshape(len(values), len(names.ks))

    def group(self, marked: np.ndarray | None = None) -> RowGroup:
        """The lines as they are printed; `marked`, of the shape of `values`, is in bold."""
        write = signed if self.signed else number
        bold = np.zeros(self.values.shape, dtype=bool) if marked is None else marked
        rows = []
        for i, (model, precision) in enumerate(self.lines):
            cells = [
                Entry(write(value, self.digits), bool(is_best), MARKS.get(verdict, ""))
                for value, is_best, verdict in zip(
                    self.values[i], bold[i], self.verdicts[i], strict=True
                )
            ]
            rows.append([Entry(model), Entry(labels.name(precision)), *cells])
        return RowGroup(labels.name(self.retriever), rows)


def best(values: np.ndarray, higher_is_better: bool) -> np.ndarray:
    """Which values are the best of their column, ties included; none where all are NaN or alone."""
    merits = values if higher_is_better else -values
    filled = np.where(np.isnan(merits), -np.inf, merits)
    enough = np.isfinite(filled).sum(axis=0) > 1
    return np.isfinite(filled) & enough & (filled == filled.max(axis=0, initial=-np.inf))


def k_tables(
    label: str, caption: str, names: OrderedNames, groups: list[RowGroup]
) -> list[PublicationTable]:
    """A table with a column for each k, in parts where it is longer than a page."""
    columns = ["Model", "Precision", *(K.parse(k).label for k in names.ks)]
    windows = [k.label for k in map(K.parse, names.ks) if k.fills]
    if windows:
        short = windows[0]
        caption += f" {short}: as many documents as fit in {short} tokens."
    return paged(PublicationTable(label, caption, columns, 2, groups, spanner="k"))


def paged(table: PublicationTable) -> list[PublicationTable]:
    """The table, or its parts where it has more rows than a page; a part ends with a group."""
    parts: list[list[RowGroup]] = []
    for group in table.groups:
        for start in range(0, len(group.rows), MOST_ROWS):
            piece = RowGroup(group.heading, group.rows[start : start + MOST_ROWS])
            room = MOST_ROWS - sum(len(g.rows) + 1 for g in parts[-1]) if parts else -1
            if len(piece.rows) <= room:
                parts[-1].append(piece)
            else:
                parts.append([piece])
    if len(parts) < 2:
        return [table]
    return [
        replace(
            table,
            label=f"{table.label}-{number}",
            caption=f"{table.caption} Part {number} of {len(parts)}.",
            groups=groups,
        )
        for number, groups in enumerate(parts, start=1)
    ]


def counts(rows: pd.DataFrame) -> str:
    """How many answers the values rest on, and how many could not be read."""
    low, high = rows["n"].min(), rows["n"].max()
    rate = f"{rows['unparseable_rate'].max() * 100:.1f}%"
    count = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"n = {count} answers a value, of which at most {rate} could not be read."


def verdict_legend(names: OrderedNames, metric: str, criteria: Criteria) -> str:
    """What the marks mean in a table of this metric."""
    baseline = labels.name(names.baseline)
    return (
        f"Against {baseline}: = equivalent {criteria.within(metric)}, - worse, + better "
        f"(adjusted p < {1 - criteria.confidence:.2g}), no mark: inconclusive."
    )


def number(value: float, digits: int) -> str:
    """A number in print, or a dash for NaN."""
    return MISSING if pd.isna(value) else f"{value:,.{digits}f}".replace("-", "−")


def signed(value: float, digits: int) -> str:
    """A number in print with its sign, or a dash for NaN."""
    return MISSING if pd.isna(value) else f"{value:+,.{digits}f}".replace("-", "−")
