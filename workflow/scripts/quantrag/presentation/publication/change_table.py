"""The change after quantization in percent of the baseline."""

from collections.abc import Mapping

import pandas as pd

from quantrag.presentation import labels
from quantrag.presentation.criteria import Criteria
from quantrag.presentation.data import ordered_names
from quantrag.presentation.publication.parts import Block, k_tables, verdict_legend
from quantrag.presentation.publication.typesetting import PublicationTable, slug


def make(tables: Mapping[str, pd.DataFrame], criteria: Criteria) -> list[PublicationTable]:
    """The change after quantization, in percent of the baseline's score.

    Args:
        tables: `comparisons`.
        criteria: of the statistics.
    """
    rows = tables["comparisons"]
    names = ordered_names(rows)
    score = rows["baseline_value"].where(rows["baseline_value"] != 0)
    rows = rows.assign(change=100 * rows["difference"] / score)
    found = []
    for (task, key), part in rows.groupby(["task", "metric"], sort=False):
        metric = labels.metric(key)
        groups = [
            Block(part, "change", retriever, names, names.compared, 1, signed=True).group()
            for retriever in names.retrievers
        ]
        better = "above" if metric.higher_is_better else "below"
        caption = (
            f"{labels.name(task)}: change of {metric.label} after quantization, in percent of the "
            f"score of {labels.name(names.baseline)}; {better} 0 is better. "
            f"{verdict_legend(names, key, criteria)}"
        )
        found += k_tables(f"change-{slug(task)}-{slug(key)}", caption, names, groups)
    return found
