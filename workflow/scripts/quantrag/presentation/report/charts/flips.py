"""The report's figure: Changed answers against k."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from quantrag.presentation import labels
from quantrag.presentation.data import OrderedNames
from quantrag.presentation.report.views import (
    View,
    facet,
    lines,
    over_k,
    precision_marks,
    tip,
    tips,
)


def views(tables: Mapping[str, pd.DataFrame], names: OrderedNames, level: str) -> list[View]:
    """Changed answers along k with the noise floor: a panel for each model and retriever."""
    comparisons = tables["comparisons"]
    noisy = bool(comparisons["noise_flip_rate"].notna().any())
    found = []
    for task, part in comparisons.groupby("task", sort=False):
        part = part[part["metric"] == part["metric"].iloc[0]]
        rows = lines(part, names, names.compared, ["flip_rate", "noise_flip_rate"])
        tooltip = [*tips("precision", "model", "retriever", "k")]
        tooltip += [
            tip("flip_rate", "Changed", ".1%"),
            tip("noise_flip_rate", "Noise", ".1%"),
        ]
        y = alt.Y("flip_rate:Q", title="Changed answers", axis=alt.Axis(format="%"))
        marks = precision_marks(names, compared=True)
        line = over_k(names).encode(y=y, tooltip=tooltip, **marks)
        parts = [line.mark_line(strokeWidth=1.8), line.mark_point(size=45, filled=True)]
        if noisy:
            area = over_k(names).mark_area(opacity=0.25, color="#888888")
            parts.insert(0, area.encode(y=alt.Y("max(noise_flip_rate):Q", title="Changed answers")))
        low, high = part["flip_rate"].min(), part["flip_rate"].max()
        description = (
            f"Share of changed answers on {labels.name(task)} against the number of documents: "
            f"{low:.1%} to {high:.1%}."
        )
        found.append(View(labels.name(task), facet(parts), rows, description))
    return found
