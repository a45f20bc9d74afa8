"""The report's figure: Answers and scores against likelihoods."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from quantrag.grid import K
from quantrag.presentation import labels
from quantrag.presentation.data import OrderedNames, beside_likelihoods
from quantrag.presentation.report.views import (
    View,
    layered,
    plain,
    precision_marks,
    printed,
    tip,
    tips,
)


def views(tables: Mapping[str, pd.DataFrame], names: OrderedNames, level: str) -> list[View]:
    """Two sheets per task, of changed answers and of the main metric: a mark per comparison."""
    found = []
    for task, part in beside_likelihoods(tables["comparisons"]).groupby("task", sort=False):
        metric, likelihood = (labels.metric(part[c].iloc[0]) for c in ("metric", "likelihood"))
        columns = ["likelihood_difference", "flip_rate", "difference"]
        rows = [
            printed(row)
            | {"k": K.parse(row["k"]).label}
            | {column: plain(row[column]) for column in columns}
            for row in part.to_dict("records")
        ]
        # In two lines, for a phone.
        title_of_x = [f"Difference in {likelihood.label}", likelihood.unit]
        x = alt.X("likelihood_difference:Q", title=[line for line in title_of_x if line])
        tooltip = [*tips("precision", "model", "retriever", "k")]
        tooltip += [
            tip("likelihood_difference", f"Difference in {likelihood.label}", "+.4f"),
            tip("flip_rate", "Changed", ".1%"),
            tip("difference", f"Difference in {metric.label}", "+.4f"),
        ]
        marks = precision_marks(names, compared=True)
        sheets = {
            "flip_rate": ("changed answers", "Changed answers", {"axis": alt.Axis(format="%")}),
            "difference": (metric.label, f"Difference in {metric.axis}", {}),
        }
        for column, (label, title, axis) in sheets.items():
            y = alt.Y(f"{column}:Q", title=title, **axis)
            points = alt.Chart().encode(x=x, y=y, tooltip=tooltip, **marks)
            zero = alt.Chart().mark_rule(opacity=0.6).encode(x=alt.datum(0))
            low, high = part["likelihood_difference"].min(), part["likelihood_difference"].max()
            description = (
                f"{title} on {labels.name(task)} against the difference in {likelihood.label}, "
                f"which is {low:+.4f} to {high:+.4f}."
            )
            spec = layered([zero, points.mark_point(size=55, filled=True)])
            found.append(View(f"{labels.name(task)}, {label}", spec, rows, description))
    return found
