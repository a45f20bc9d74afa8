"""The report's figure: Difference to the baseline against k."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from quantrag.grid import K
from quantrag.presentation import labels
from quantrag.presentation.data import OrderedNames
from quantrag.presentation.figures.quantization_gap import noise_floor
from quantrag.presentation.report.views import (
    View,
    comparison_tips,
    facet,
    lines,
    over_k,
    precision_marks,
    tips,
    view_label,
)


def views(tables: Mapping[str, pd.DataFrame], names: OrderedNames, level: str) -> list[View]:
    """Differences along k with intervals, margin and noise floor: a panel per model, retriever."""
    scores = tables["scores"]
    comparisons = tables["comparisons"]
    found = []
    for (task, key), part in comparisons.groupby(["task", "metric"], sort=False):
        metric = labels.metric(key)
        own = scores[(scores["task"] == task) & (scores["metric"] == key)]
        noise = noise_floor(own, names.baseline)
        noisy = len(noise) > 0
        if noisy:
            part = part.merge(noise, on=["task", "model", "retriever", "k"], how="left")
        columns = ["difference", "ci_low", "ci_high", "margin", "p_holm", "verdict"]
        rows = lines(part, names, names.compared, columns + ["noise"] * noisy)
        for row in rows:
            row["margin_low"] = None if row["margin"] is None else -row["margin"]
            if row.get("noise") is not None:
                row["noise_low"] = -row["noise"]
        better = "above" if metric.higher_is_better else "below"
        title = f"Difference in {metric.axis}"
        tooltip = [*tips("precision", "model", "retriever", "k", "verdict")]
        tooltip += comparison_tips(level)
        base = over_k(names)
        margin = base.mark_area(opacity=0.22, color="#56B4E9").encode(
            y=alt.Y("min(margin_low):Q", title=title), y2="max(margin):Q"
        )
        zero = base.mark_rule(opacity=0.6).encode(y=alt.datum(0))
        marks = precision_marks(names, compared=True)
        del marks["strokeDash"]
        offset = alt.XOffset("precision:N", sort=[labels.name(p) for p in names.compared])
        line = base.encode(
            y=alt.Y("difference:Q", title=title), xOffset=offset, tooltip=tooltip, **marks
        )
        whisker = base.mark_rule(strokeWidth=1.6).encode(
            y=alt.Y("ci_low:Q", title=title),
            y2="ci_high:Q",
            xOffset=offset,
            color=marks["color"],
            tooltip=tooltip,
        )
        points = line.mark_point(size=45, filled=True, opacity=1)
        parts = [margin, zero, whisker, points]
        if noisy:
            for column in ("noise", "noise_low"):
                parts.append(
                    base.mark_line(strokeDash=[4, 3], strokeWidth=1, color="#888888").encode(
                        y=alt.Y(f"max({column}):Q", title=title)
                    )
                )
        largest = part.loc[part["difference"].abs().idxmax()]
        description = (
            f"Differences in {metric.label} on {labels.name(task)} with intervals against the "
            f"number of documents; {better} 0 is better. Largest: {largest['difference']:+.4f}, "
            f"{labels.name(largest['precision'])} of {largest['model']} at k = "
            f"{K.parse(largest['k']).label} ({largest['verdict']})."
        )
        found.append(View(view_label(task, metric), facet(parts), rows, description))
    return found
