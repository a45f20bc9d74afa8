"""The report's figure: Score against cost."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from quantrag.presentation import labels
from quantrag.presentation.columns import COLUMNS
from quantrag.presentation.data import OrderedNames
from quantrag.presentation.figures.quality_cost import (
    cost_range,
    known_costs,
    mean_scores,
    pareto_front,
    with_energy_per_token,
)
from quantrag.presentation.report.views import (
    View,
    layered,
    plain,
    precision_marks,
    printed,
    tip,
    tips,
    view_label,
)


def views(tables: Mapping[str, pd.DataFrame], names: OrderedNames, level: str) -> list[View]:
    """A point for each model and precision: a view for each metric and cost."""
    scores = tables["scores"]
    costs = with_energy_per_token(tables["costs"])
    found = []
    for (task, key), part in scores.groupby(["task", "metric"], sort=False):
        metric = labels.metric(key)
        merged = mean_scores(part, names).merge(costs, on=["model", "precision"])
        up = metric.higher_is_better
        for cost in known_costs(costs):
            column = COLUMNS[cost]
            if merged[cost].isna().all():  # of this task's models
                continue
            front = pareto_front(merged, cost, column.higher_is_better, up).index
            points = merged.assign(cost=merged[cost], front=merged.index.isin(front))
            starts = points.loc[points["precision"] == names.baseline, ["model", "cost", "value"]]
            starts = starts.add_prefix("from_").rename(columns={"from_model": "model"})
            points = points.merge(starts, on="model", how="left")
            rows = [
                {**printed(row), "front": row["front"],
                 **{key: plain(row[key]) for key in ("value", "cost", "from_value", "from_cost")}}
                for row in points.to_dict("records")
            ]  # fmt: skip
            tooltip = [*tips("precision", "model")]
            tooltip += [tip("value", metric.label), tip("cost", column.title, ",.3~f")]
            scale = alt.Scale(zero=False, nice=True, domain=cost_range(merged[cost]))
            base = alt.Chart().encode(
                x=alt.X("cost:Q", title=column.title, scale=scale),
                y=alt.Y("value:Q", title=metric.axis, scale=alt.Scale(zero=False)),
            )
            marks = precision_marks(names)
            del marks["strokeDash"]
            step = "step-before" if column.higher_is_better else "step-after"
            parts = [
                base.transform_filter("datum.front")
                .mark_line(color="#8A8A8A", strokeWidth=1, strokeDash=[4, 3], interpolate=step)
                .encode(order="cost:Q"),
                base.mark_rule(color="#8A8A8A", strokeWidth=1).encode(
                    x2="from_cost:Q", y2="from_value:Q"
                ),
                base.mark_point(size=90, filled=True, opacity=1).encode(tooltip=tooltip, **marks),
            ]
            better = "Higher" if column.higher_is_better else "Lower"
            description = (
                f"A point for each model and precision: {metric.label} on {labels.name(task)} "
                f"against {column.title}; {better.lower()} cost is better."
            )
            label = f"{view_label(task, metric)} / {column.title}"
            spec = layered(parts)
            found.append(View(label, spec, rows, description))
    return found
