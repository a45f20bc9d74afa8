"""The report's figure: Difference by evidence in the prompt."""

from collections.abc import Mapping

import pandas as pd

from quantrag.names import NOISE_FLOOR
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
from quantrag.scoring.evidence import INTERACTION
from quantrag.statistics.trends import ALL

_NUMBERS = ["difference", "ci_low", "ci_high", "margin", "p_holm", "n", "n_differing"]


def views(tables: Mapping[str, pd.DataFrame], names: OrderedNames, level: str) -> list[View]:
    """Differences over all cells by evidence: a panel for each model and precision."""
    del names
    table = tables["evidence"]
    table = table[(table["retriever"] == ALL) & (table["precision"] != NOISE_FLOOR)]
    of_interaction = labels.EVIDENCE[INTERACTION]
    found = []
    for (task, key), part in table.drop(columns="retriever").groupby(
        ["task", "metric"], sort=False
    ):
        metric = labels.metric(key)
        rows = []
        for row in part.to_dict("records"):
            place = {"place": labels.EVIDENCE[row["evidence"]]}
            verdict = {"verdict": row["verdict"] or of_interaction}
            rows.append(place | comparison_row(row, _NUMBERS) | verdict)
        better = "right" if metric.higher_is_better else "left"
        title = f"Difference in {metric.axis}; better to the {better}"
        tooltip = [*tips("place", "model", "precision", "verdict"), *comparison_tips(level)]
        tooltip += [tip("n", "Answers of a cell, mean", "d")]
        tooltip += [tip("n_differing", "Scores that differ", "d")]
        order = list(labels.EVIDENCE.values())
        parts = comparison_layers("place", order, title, tooltip, extra=of_interaction)
        description = (
            f"Differences in {metric.label} on {labels.name(task)} where the evidence is in the "
            "prompt and where it isn't, with their intervals."
        )
        found.append(View(view_label(task, metric), facet(parts), rows, description, 22))
    return found
