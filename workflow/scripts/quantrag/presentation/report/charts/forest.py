"""The report's figure: All comparisons."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from quantrag.grid import K
from quantrag.names import NO_RETRIEVER
from quantrag.presentation import labels
from quantrag.presentation.data import OrderedNames
from quantrag.presentation.report.views import (
    View,
    comparison_tips,
    facet,
    plain,
    printed,
    tip,
    tips,
    view_label,
)
from quantrag.statistics.comparisons import FEW_DIFFERING


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
            entry = {
                "cell": lines[row["retriever"], row["k"]],
                "panel": f"{row['model']}, {labels.name(row['precision'])}",
                **printed(row),
            }
            columns = ["difference", "ci_low", "ci_high", "margin", "p_holm", "min_detectable_holm"]
            columns += ["n_differing"]
            entry |= {column: plain(row[column]) for column in columns}
            entry["margin_low"] = None if entry["margin"] is None else -entry["margin"]
            rows.append(entry | {"verdict": row["verdict"]})
        better = "right" if metric.higher_is_better else "left"
        title = f"Difference in {metric.axis}; better to the {better}"
        tooltip = [*tips("cell", "model", "precision", "verdict")]
        tooltip += comparison_tips(level)
        tooltip += [tip("min_detectable_holm", "Smallest detectable")]
        tooltip += [tip("n_differing", "Scores that differ", "d")]
        order = [text for _, text in order]
        base = alt.Chart().encode(y=alt.Y("cell:N", sort=order, title=None), tooltip=tooltip)
        color = alt.Color(
            "verdict:N",
            scale=alt.Scale(domain=labels.VERDICTS, range=[f"var(--{v})" for v in labels.VERDICTS]),
            legend=alt.Legend(title=None),
        )
        shape = alt.Shape(
            "verdict:N",
            scale=alt.Scale(
                domain=labels.VERDICTS, range=["triangle-down", "triangle-up", "square", "circle"]
            ),
        )
        parts = [
            base.mark_bar(opacity=0.22, color="#56B4E9", height=14).encode(
                x=alt.X("margin_low:Q", title=title), x2="margin:Q"
            ),
            alt.Chart().mark_rule(opacity=0.6).encode(x=alt.datum(0)),
            base.mark_rule(strokeWidth=1.6).encode(
                x=alt.X("ci_low:Q", title=title), x2="ci_high:Q", color=color
            ),
            base.mark_point(size=60, filled=True, opacity=1).encode(
                x=alt.X("difference:Q", title=title), color=color, shape=shape
            ),
            # Hollow: little is known where few scores differ.
            base.mark_point(filled=True, opacity=1, color="var(--paper)").encode(
                x=alt.X("difference:Q", title=title),
                size=alt.condition(
                    alt.datum.n_differing < FEW_DIFFERING, alt.value(12), alt.value(0)
                ),
            ),
        ]
        counts = part["verdict"].value_counts()
        said = ", ".join(f"{counts.get(v, 0)} {v}" for v in labels.VERDICTS)
        description = (
            f"Every comparison of {metric.label} on {labels.name(task)} with its interval: {said}."
        )
        found.append(View(view_label(task, metric), facet(parts), rows, description, 18))
    return found
