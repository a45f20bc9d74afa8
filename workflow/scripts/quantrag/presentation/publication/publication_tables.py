"""What the tables for print show: main result, relative change, retrievers, costs, replication."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from quantrag.grid import K
from quantrag.presentation import labels
from quantrag.presentation.data import Grid, along_k, grid
from quantrag.presentation.publication.typesetting import Cell, Group, PrintTable, slug

MARKS = {"worse": "-", "better": "+", "equivalent": "=", "inconclusive": ""}
MOST_ROWS = 48  # as many fit on a page
MISSING = "–"

_COSTS = {
    "weights_gib": ("Weights (GiB)", 2, False),
    "peak_memory_gib": ("Peak (GiB)", 2, False),
    "load_s": ("Load (s)", 0, False),
    "prompt_tokens_per_s": ("Prompt tok/s", 0, True),
    "output_tokens_per_s": ("Output tok/s", 0, True),
    "energy_wh": ("Energy (Wh)", 1, False),
}
_AGREEMENT = {"top1": "Same first", "top5": "First five", "rbo": "RBO"}


@dataclass(frozen=True)
class Settings:
    """What captions say of the statistics.

    Attributes:
        confidence: level of intervals and tests, from 0 to 1.
        margin: of equivalence, as a share of the baseline's score.
    """

    confidence: float
    margin: float


def main_result(tables: Mapping[str, pd.DataFrame], settings: Settings) -> list[PrintTable]:
    """The paper's table: models and precisions by k, for each task, metric and retriever.

    Args:
        tables: `scores` and `comparisons`.
        settings: of the statistics.
    """
    scores, comparisons = tables["scores"], tables["comparisons"]
    names = grid(scores, comparisons)
    cell = ["task", "model", "retriever", "k", "metric", "precision"]
    scores = scores.merge(comparisons[[*cell, "verdict"]], on=cell, how="left")
    found = []
    for (task, key), rows in scores.groupby(["task", "metric"], sort=False):
        metric = labels.metric(key)
        groups = []
        for retriever in names.retrievers:
            block = _Block(rows, "value", retriever, names, names.precisions, metric.digits)
            groups.append(block.group(_best(block.values, metric.higher_is_better)))
        better = "higher" if metric.higher_is_better else "lower"
        caption = (
            f"{labels.name(task)}: {metric.axis} by the number k of retrieved documents; {better} "
            f"is better. {_counts(rows)} Best of each k and retriever in bold. "
            f"{_legend(names, settings)}"
        )
        found += _k_tables(f"main-{slug(task)}-{slug(key)}", caption, names, groups)
    return found


def relative_change(tables: Mapping[str, pd.DataFrame], settings: Settings) -> list[PrintTable]:
    """The change after quantization, in percent of the baseline's score.

    Args:
        tables: `comparisons`.
        settings: of the statistics.
    """
    rows = tables["comparisons"]
    names = grid(rows)
    score = rows["baseline_value"].where(rows["baseline_value"] != 0)
    rows = rows.assign(change=100 * rows["difference"] / score)
    found = []
    for (task, key), part in rows.groupby(["task", "metric"], sort=False):
        metric = labels.metric(key)
        groups = [
            _Block(part, "change", retriever, names, names.compared, 1, signed=True).group()
            for retriever in names.retrievers
        ]
        better = "above" if metric.higher_is_better else "below"
        caption = (
            f"{labels.name(task)}: change of {metric.label} after quantization, in percent of the "
            f"score of {labels.name(names.baseline)}; {better} 0 is better. "
            f"{_legend(names, settings)}"
        )
        found += _k_tables(f"change-{slug(task)}-{slug(key)}", caption, names, groups)
    return found


def retrievers(tables: Mapping[str, pd.DataFrame], settings: Settings) -> list[PrintTable]:
    """How far the retrievers' rankings agree.

    Args:
        tables: `retrievers`.
        settings: not used.
    """
    del settings
    groups = []
    for task, rows in tables["retrievers"].groupby("task", sort=False):
        lines = []
        for row in rows.to_dict("records"):
            pair = [Cell(labels.name(row[side])) for side in ("retriever_a", "retriever_b")]
            values = [Cell(_number(row[measure], 2)) for measure in _AGREEMENT]
            lines.append([*pair, *values, Cell(_number(row["n"], 0))])
        groups.append(Group(labels.name(task), lines))
    caption = (
        "Agreement of the retrievers' rankings, mean over the n queries: share with the same first "
        "document, share of the first five documents in common, and rank-biased overlap (RBO)."
    )
    columns = ["Retriever", "and", *_AGREEMENT.values(), "n"]
    return _paged(PrintTable("retrievers", caption, columns, 2, groups))


def costs(tables: Mapping[str, pd.DataFrame], settings: Settings) -> list[PrintTable]:
    """Memory, time and energy of each model and precision; columns without any value are left out.

    Args:
        tables: `costs`.
        settings: not used.
    """
    del settings
    rows = tables["costs"]
    shown = [column for column in _COSTS if rows[column].notna().any()]
    groups = []
    for model, part in rows.groupby("model", sort=False):
        columns = []
        for column in shown:
            _, digits, higher_is_better = _COSTS[column]
            values = part[[column]].to_numpy(dtype=float).round(digits)
            marks = _best(values, higher_is_better)
            columns.append(
                [
                    Cell(_number(v, digits), bool(m))
                    for v, m in zip(values[:, 0], marks[:, 0], strict=True)
                ]
            )
        precisions = [Cell(labels.name(precision)) for precision in part["precision"]]
        groups.append(Group(model, [list(line) for line in zip(precisions, *columns, strict=True)]))
    engines = sorted(set(rows["engine"] + " on " + rows["device"]))
    caption = (
        "Cost of generation over the whole grid: size of the weights, peak memory, loading time, "
        f"throughput and energy ({'; '.join(engines)}). Best of each model in bold."
    )
    columns = ["Precision", *(_COSTS[column][0] for column in shown)]
    return _paged(PrintTable("costs", caption, columns, 1, groups))


def replication(tables: Mapping[str, pd.DataFrame], settings: Settings) -> list[PrintTable]:
    """Published values beside ours.

    Args:
        tables: `replication`.
        settings: of the statistics.
    """
    rows = tables["replication"]
    groups = []
    for (task, key), part in rows.groupby(["task", "metric"], sort=False):
        digits = labels.metric(key).digits
        lines = []
        for row in part.to_dict("records"):
            name = [row["model"], *(labels.name(row[c]) for c in ("precision", "retriever"))]
            interval = f"[{_number(row['ci_low'], digits)}, {_number(row['ci_high'], digits)}]"
            values = [_number(row[column], digits) for column in ("published", "ours")]
            values += [interval, _signed(row["difference"], digits)]
            texts = [*name, K.parse(row["k"]).label, *values, row["status"]]
            lines.append([Cell(text, text == "FAIL") for text in texts])
        groups.append(Group(f"{labels.name(task)}, {labels.metric(key).axis}", lines))
    caption = (
        "Published values beside ours, with our "
        f"{settings.confidence * 100:g}% intervals. OK: no further apart than the tolerance stated "
        "for the value; OKish: than twice that, or the published value lies inside our interval; "
        "FAIL otherwise. "
    )
    sources = "; ".join(dict.fromkeys(rows["source"]))
    caption += f"Sources: {sources}." if sources else "No published value is on file."
    columns = ["Model", "Precision", "Retriever", "k", "Published", "Ours", "Interval"]
    columns += ["Difference", "Status"]
    return _paged(PrintTable("replication", caption, columns, 3, groups))


TABLES = {
    "main": main_result,
    "change": relative_change,
    "retrievers": retrievers,
    "costs": costs,
    "replication": replication,
}


class _Block:
    """The lines of one retriever: a line for each model and precision, a column for each k."""

    def __init__(
        self,
        rows: pd.DataFrame,
        column: str,
        retriever: str,
        names: Grid,
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

    def group(self, best: np.ndarray | None = None) -> Group:
        """The lines as they are printed; `best`, of the shape of `values`, is in bold."""
        write = _signed if self.signed else _number
        bold = np.zeros(self.values.shape, dtype=bool) if best is None else best
        rows = []
        for i, (model, precision) in enumerate(self.lines):
            cells = [
                Cell(write(value, self.digits), bool(is_best), MARKS.get(verdict, ""))
                for value, is_best, verdict in zip(
                    self.values[i], bold[i], self.verdicts[i], strict=True
                )
            ]
            rows.append([Cell(model), Cell(labels.name(precision)), *cells])
        return Group(labels.name(self.retriever), rows)


def _best(values: np.ndarray, higher_is_better: bool) -> np.ndarray:
    """Which values are the best of their column, ties included; none where all are NaN or alone."""
    signed = values if higher_is_better else -values
    filled = np.where(np.isnan(signed), -np.inf, signed)
    enough = np.isfinite(filled).sum(axis=0) > 1
    return np.isfinite(filled) & enough & (filled == filled.max(axis=0, initial=-np.inf))


def _k_tables(label: str, caption: str, names: Grid, groups: list[Group]) -> list[PrintTable]:
    columns = ["Model", "Precision", *(K.parse(k).label for k in names.ks)]
    windows = [k.label for k in map(K.parse, names.ks) if k.fills]
    if windows:
        short = windows[0]
        caption += f" {short}: as many documents as fit in {short} tokens."
    return _paged(PrintTable(label, caption, columns, 2, groups, spanner="k"))


def _paged(table: PrintTable) -> list[PrintTable]:
    """The table, or its parts where it has more rows than a page; a part ends with a group."""
    parts: list[list[Group]] = []
    for group in table.groups:
        for start in range(0, len(group.rows), MOST_ROWS):
            piece = Group(group.heading, group.rows[start : start + MOST_ROWS])
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


def _counts(rows: pd.DataFrame) -> str:
    """How many answers the values rest on, and how many could not be read."""
    low, high = rows["n"].min(), rows["n"].max()
    rate = f"{rows['unparseable_rate'].max() * 100:.1f}%"
    count = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"n = {count} answers a value, of which at most {rate} could not be read."


def _legend(names: Grid, settings: Settings) -> str:
    """What the marks mean."""
    baseline = labels.name(names.baseline)
    return (
        f"Against {baseline}: = equivalent within {settings.margin * 100:g}%, - worse, + better "
        f"(adjusted p < {1 - settings.confidence:.2g}), no mark: inconclusive."
    )


def _number(value: float, digits: int) -> str:
    return MISSING if pd.isna(value) else f"{value:,.{digits}f}".replace("-", "−")


def _signed(value: float, digits: int) -> str:
    return MISSING if pd.isna(value) else f"{value:+,.{digits}f}".replace("-", "−")
