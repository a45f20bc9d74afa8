"""The agreement of the retrievers."""

from collections.abc import Mapping

import pandas as pd

from quantrag.presentation import labels
from quantrag.presentation.columns import COLUMNS
from quantrag.presentation.criteria import Criteria
from quantrag.presentation.publication.parts import number, paged
from quantrag.presentation.publication.typesetting import Entry, PublicationTable, RowGroup

MEASURES = ("top1", "top5", "rbo")


def make(tables: Mapping[str, pd.DataFrame], criteria: Criteria) -> list[PublicationTable]:
    """How far the retrievers' rankings agree.

    Args:
        tables: `retrievers`.
        criteria: not used.
    """
    del criteria
    groups = []
    for task, rows in tables["retrievers"].groupby("task", sort=False):
        lines = []
        for row in rows.to_dict("records"):
            pair = [Entry(labels.name(row[side])) for side in ("retriever_a", "retriever_b")]
            values = [
                Entry(number(row[measure], COLUMNS[measure].heading_digits)) for measure in MEASURES
            ]
            lines.append([*pair, *values, Entry(number(row["n"], 0))])
        groups.append(RowGroup(labels.name(task), lines))
    caption = (
        "Agreement of the retrievers' rankings, mean over the n queries: share with the same first "
        "document, share of the first five documents in common, and rank-biased overlap (RBO)."
    )
    columns = ["Retriever", "and", *(COLUMNS[measure].heading for measure in MEASURES), "n"]
    return paged(PublicationTable("retrievers", caption, columns, 2, groups))
