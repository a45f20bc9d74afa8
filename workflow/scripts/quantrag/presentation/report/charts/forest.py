"""The report's figure: All comparisons."""

from collections.abc import Mapping

import pandas as pd

from quantrag.grid import K
from quantrag.names import NO_RETRIEVER
from quantrag.presentation import labels
from quantrag.presentation.data import OrderedNames
from quantrag.presentation.report.views import (
    View,
    comparison_layers,
    comparison_row,
    comparison_tips,
    facet,
    tip,
    tips,
    view_label,
)

_NUMBERS = ["difference", "ci_low", "ci_high", "margin", "p_holm", "min_detectable_holm"]
_NUMBERS += ["n_differing"]


def views(tables: Mapping[str, pd.DataFrame], names: OrderedNames, level: str) -> list[View]:
    """Every comparison with interval and margin: a panel for each model and precision."""
    comparisons = tables["comparisons"]
    found = []
    for (task, key), part in comparisons.groupby(["task", "metric"], sort=False):
        metric = labels.metric(key)
        rows, order = [], []
        for retriever in [NO_RETRIEVER, *(r for r in names.retrievers if r != NO_RETRIEVER)]:
            for k in names.ks:
                if ((part["retriever"] == retriever) & (part["k"] == k)).any():
                    name = "" if retriever == NO_RETRIEVER else f"{labels.name(retriever)}, "
                    order.append(((retriever, k), f"{name}k = {K.parse(k).label}"))
        lines = dict(order)
        for row in part.to_dict("records"):
            cell = {"cell": lines[row["retriever"], row["k"]]}
            rows.append(cell | comparison_row(row, _NUMBERS) | {"verdict": row["verdict"]})
        better = "right" if metric.higher_is_better else "left"
        title = f"Difference in {metric.axis}; better to the {better}"
        tooltip = [*tips("cell", "model", "precision", "verdict")]
        tooltip += comparison_tips(level)
        tooltip += [tip("min_detectable_holm", "Smallest detectable")]
        tooltip += [tip("n_differing", "Scores that differ", "d")]
        order = [text for _, text in order]
        parts = comparison_layers("cell", order, title, tooltip)
        counts = part["verdict"].value_counts()
        said = ", ".join(f"{counts.get(v, 0)} {v}" for v in labels.VERDICTS)
        description = (
            f"Every comparison of {metric.label} on {labels.name(task)} with its interval: {said}."
        )
        found.append(View(view_label(task, metric), facet(parts), rows, description, 18))
    return found
