"""The main result: models and precisions by k."""

from collections.abc import Mapping

import pandas as pd

from quantrag.presentation import labels
from quantrag.presentation.criteria import Criteria
from quantrag.presentation.data import ordered_names
from quantrag.presentation.publication.parts import Block, best, counts, k_tables, verdict_legend
from quantrag.presentation.publication.typesetting import PublicationTable, slug


def make(tables: Mapping[str, pd.DataFrame], criteria: Criteria) -> list[PublicationTable]:
    """The paper's table: models and precisions by k, for each task, metric and retriever.

    Args:
        tables: `scores` and `comparisons`.
        criteria: of the statistics.
    """
    scores, comparisons = tables["scores"], tables["comparisons"]
    names = ordered_names(scores, comparisons)
    cell = ["task", "model", "retriever", "k", "metric", "precision"]
    scores = scores.merge(comparisons[[*cell, "verdict"]], on=cell, how="left")
    found = []
    for (task, key), rows in scores.groupby(["task", "metric"], sort=False):
        metric = labels.metric(key)
        groups = []
        for retriever in names.retrievers:
            block = Block(rows, "value", retriever, names, names.precisions, metric.digits)
            groups.append(block.group(best(block.values, metric.higher_is_better)))
        better = "higher" if metric.higher_is_better else "lower"
        caption = (
            f"{labels.name(task)}: {metric.axis} by the number k of retrieved documents; {better} "
            f"is better. {counts(rows)} Best of each k and retriever in bold. "
            f"{verdict_legend(names, key, criteria)}"
        )
        found += k_tables(f"main-{slug(task)}-{slug(key)}", caption, names, groups)
    return found
