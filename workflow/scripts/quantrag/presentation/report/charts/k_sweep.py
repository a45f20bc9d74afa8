"""The report's figure: Score against k."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from quantrag.grid import K
from quantrag.presentation import labels
from quantrag.presentation.data import OrderedNames
from quantrag.presentation.report.views import (
    View,
    count_tip,
    facet,
    lines,
    over_k,
    precision_marks,
    tip,
    tips,
    view_label,
)


def views(tables: Mapping[str, pd.DataFrame], names: OrderedNames, level: str) -> list[View]:
    """Lines of each metric along k with their intervals: a panel for each model and retriever."""
    scores = tables["scores"]
    found = []
    for (task, key), part in scores.groupby(["task", "metric"], sort=False):
        metric = labels.metric(key)
        columns = ["value", "ci_low", "ci_high", "n"]
        rows = lines(part, names, names.precisions, columns)
        title = f"{metric.axis}, {metric.direction}"
        y = alt.Y("value:Q", title=title, scale=alt.Scale(zero=False))
        tooltip = [*tips("precision", "model", "retriever", "k"), tip("value", metric.label)]
        tooltip += [tip("ci_low", f"{level} from"), tip("ci_high", "to"), count_tip("n")]
        line = over_k(names).encode(y=y, tooltip=tooltip, **precision_marks(names))
        band = over_k(names).encode(
            y=alt.Y("ci_low:Q", title=title, scale=alt.Scale(zero=False)),
            y2="ci_high:Q",
            color=precision_marks(names)["color"],
        )
        band = band.mark_area(opacity=0.15)
        parts = [band, line.mark_line(strokeWidth=1.8), line.mark_point(size=45, filled=True)]
        best = part.loc[
            part["value"].idxmax() if metric.higher_is_better else part["value"].idxmin()
        ]
        description = (
            f"Lines of {metric.label} on {labels.name(task)} ({metric.direction[:-2]}) against the "
            f"number of documents, one for each precision; a panel for each model and retriever. "
            f"Best: {best['value']:.{metric.digits}f}, {labels.name(best['precision'])} of "
            f"{best['model']} at k = {K.parse(best['k']).label}."
        )
        found.append(View(view_label(task, metric), facet(parts), rows, description))
    return found
