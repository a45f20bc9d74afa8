"""Memory, time and energy of the generation."""

from collections.abc import Mapping

import pandas as pd

from quantrag.presentation import labels
from quantrag.presentation.columns import COLUMNS
from quantrag.presentation.criteria import Criteria
from quantrag.presentation.publication.parts import best, number, paged
from quantrag.presentation.publication.typesetting import Entry, PublicationTable, RowGroup

COSTS = (
    *("weights_gib", "memory_gib", "load_s"),
    *("prompt_tokens_per_s", "output_tokens_per_s", "energy_wh"),
)


def make(tables: Mapping[str, pd.DataFrame], criteria: Criteria) -> list[PublicationTable]:
    """Memory, time and energy of each model and precision; columns without any value are left out.

    Args:
        tables: `costs`.
        criteria: not used.
    """
    del criteria
    rows = tables["costs"]
    shown = [column for column in COSTS if rows[column].notna().any()]
    groups = []
    for model, part in rows.groupby("model", sort=False):
        columns = []
        for column in shown:
            digits = COLUMNS[column].heading_digits
            values = part[[column]].to_numpy(dtype=float).round(digits)
            marks = best(values, COLUMNS[column].higher_is_better)
            columns.append(
                [
                    Entry(number(v, digits), bool(m))
                    for v, m in zip(values[:, 0], marks[:, 0], strict=True)
                ]
            )
        precisions = [Entry(labels.name(precision)) for precision in part["precision"]]
        groups.append(
            RowGroup(model, [list(line) for line in zip(precisions, *columns, strict=True)])
        )
    engines = sorted(set(rows["engine"] + " on " + rows["device"]))
    caption = (
        "Cost of generation over the whole grid: size of the weights on disk, memory of the "
        "weights as loaded with the cache of the longest prompt, loading time, "
        f"throughput and energy ({'; '.join(engines)}). Best of each model in bold."
    )
    columns = ["Precision", *(COLUMNS[column].heading for column in shown)]
    return paged(PublicationTable("costs", caption, columns, 1, groups))
