"""Published values beside ours."""

from collections.abc import Mapping

import pandas as pd

from quantrag.grid import K
from quantrag.presentation import labels
from quantrag.presentation.criteria import Criteria
from quantrag.presentation.publication.parts import number, paged, signed
from quantrag.presentation.publication.typesetting import Entry, PublicationTable, RowGroup


def make(tables: Mapping[str, pd.DataFrame], criteria: Criteria) -> list[PublicationTable]:
    """Published values beside ours.

    Args:
        tables: `replication`.
        criteria: of the statistics.
    """
    rows = tables["replication"]
    groups = []
    for (task, key), part in rows.groupby(["task", "metric"], sort=False):
        digits = labels.metric(key).digits
        lines = []
        for row in part.to_dict("records"):
            name = [row["model"], *(labels.name(row[c]) for c in ("precision", "retriever"))]
            interval = f"[{number(row['ci_low'], digits)}, {number(row['ci_high'], digits)}]"
            values = [number(row[column], digits) for column in ("published", "ours")]
            values += [interval, signed(row["difference"], digits)]
            texts = [*name, K.parse(row["k"]).label, *values, row["status"]]
            lines.append([Entry(text, text == "FAIL") for text in texts])
        groups.append(RowGroup(f"{labels.name(task)}, {labels.metric(key).axis}", lines))
    caption = (
        "Published values beside ours, with our "
        f"{criteria.confidence * 100:g}% intervals. OK: no further apart than the tolerance stated "
        "for the value; OKish: than twice that; "
        "FAIL otherwise. "
    )
    sources = "; ".join(dict.fromkeys(rows["source"]))
    caption += f"Sources: {sources}." if sources else "No published value is on file."
    columns = ["Model", "Precision", "Retriever", "k", "Published", "Ours", "Interval"]
    columns += ["Difference", "Status"]
    return paged(PublicationTable("replication", caption, columns, 3, groups))
