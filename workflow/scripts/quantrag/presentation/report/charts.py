"""The figures of the page: Vega-Lite specifications, and the rows that they show.

A specification has no data and no sizes: the page fills in the rows of the chosen models,
precisions and retrievers, and as many panels side by side as the window holds.
"""

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd
from altair.utils.schemapi import debug_mode

from quantrag.grid import K
from quantrag.names import NO_RETRIEVER
from quantrag.presentation import labels
from quantrag.presentation.data import Grid, grid
from quantrag.presentation.figures.quality_cost import COSTS, mean_scores, pareto_front
from quantrag.presentation.report.charts_along_k import flips, gap, k_sweep
from quantrag.presentation.report.charts_checkpoints import layer_errors
from quantrag.presentation.report.views import (
    ROWS,
    Figure,
    View,
    facet,
    plain,
    precision_marks,
    printed,
    tip,
    tips,
    view_label,
)

VERDICTS = ["worse", "better", "equivalent", "inconclusive"]


def figures(tables: Mapping[str, pd.DataFrame], confidence: float) -> list[Figure]:
    """Every figure that the tables allow.

    Args:
        tables: `scores`, `comparisons`, `costs`, `checkpoints` and, with several retrievers,
            `retrievers`.
        confidence: of the intervals.
    """
    # Checking every part against the schema takes longer than all else; the tests do it instead.
    with debug_mode(False):
        return _figures(tables, f"{confidence * 100:g}%")


def _figures(tables: Mapping[str, pd.DataFrame], level: str) -> list[Figure]:
    scores, comparisons = tables["scores"], tables["comparisons"]
    names = grid(scores, comparisons)
    found = [k_sweep(scores, names, level)]
    if len(comparisons):
        found.append(gap(comparisons, scores, names, level))
        found.append(_forest(comparisons, names, level))
        found.append(flips(comparisons, names))
    found.append(_costs(scores, tables["costs"], names))
    if "retrievers" in tables:
        found.append(_agreement(tables["retrievers"]))
    found.append(layer_errors(tables["checkpoints"]))
    return [figure for figure in found if figure.views]


def _forest(comparisons: pd.DataFrame, names: Grid, level: str) -> Figure:
    figure = Figure(
        "forest",
        "All comparisons",
        f"Difference to {labels.name(names.baseline)}, {level} interval and equivalence margin "
        "(pale bar). Inconclusive means that neither a difference nor equivalence is shown.",
    )
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
            entry |= {column: plain(row[column]) for column in columns}
            entry["margin_low"] = None if entry["margin"] is None else -entry["margin"]
            rows.append(entry | {"verdict": row["verdict"]})
        better = "right" if metric.higher_is_better else "left"
        title = f"Difference in {metric.axis}; better to the {better}"
        tooltip = [*tips("cell", "model", "precision", "verdict")]
        tooltip += [tip("difference", "Difference", "+.4f"), tip("ci_low", f"{level} from")]
        tooltip += [tip("ci_high", "to"), tip("margin", "Margin ±")]
        tooltip += [tip("p_holm", "Adjusted p", ".3g")]
        tooltip += [tip("min_detectable_holm", "Smallest detectable")]
        order = [text for _, text in order]
        base = alt.Chart().encode(y=alt.Y("cell:N", sort=order, title=None), tooltip=tooltip)
        color = alt.Color(
            "verdict:N",
            scale=alt.Scale(domain=VERDICTS, range=[f"var(--{v})" for v in VERDICTS]),
            legend=alt.Legend(title=None),
        )
        shape = alt.Shape(
            "verdict:N",
            scale=alt.Scale(
                domain=VERDICTS, range=["triangle-down", "triangle-up", "square", "circle"]
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
        ]
        counts = part["verdict"].value_counts()
        said = ", ".join(f"{counts.get(v, 0)} {v}" for v in VERDICTS)
        description = (
            f"Every comparison of {metric.label} on {labels.name(task)} with its interval: {said}."
        )
        figure.views.append(View(view_label(task, metric), facet(parts), rows, description, 18))
    return figure


def _costs(scores: pd.DataFrame, costs: pd.DataFrame, names: Grid) -> Figure:
    tokens = costs["prompt_tokens"] + costs["output_tokens"]
    costs = costs.assign(wh_per_1k=1000 * costs["energy_wh"] / tokens)
    devices = "; ".join(sorted(set(costs["engine"] + " on " + costs["device"])))
    figure = Figure(
        "quality_cost",
        "Score against cost",
        "Mean score over all k and retrievers. Lines lead from each model's baseline to its "
        "other precisions; dashed is the Pareto front, the points that no other one beats in both. "
        f"Speed and energy belong to the device that they were measured on ({devices}).",
    )
    for (task, key), part in scores.groupby(["task", "metric"], sort=False):
        metric = labels.metric(key)
        merged = mean_scores(part, names).merge(costs, on=["model", "precision"])
        up = metric.higher_is_better
        for cost, entry in COSTS.items():
            if merged[cost].isna().all():
                continue
            front = pareto_front(merged, cost, entry.higher_is_better, up).index
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
            tooltip += [tip("value", metric.label), tip("cost", entry.label, ",.3~f")]
            base = alt.Chart().encode(
                x=alt.X("cost:Q", title=entry.label, scale=alt.Scale(zero=False, nice=True)),
                y=alt.Y("value:Q", title=metric.axis, scale=alt.Scale(zero=False)),
            )
            marks = precision_marks(names)
            del marks["strokeDash"]
            step = "step-before" if entry.higher_is_better else "step-after"
            parts = [
                base.transform_filter("datum.front")
                .mark_line(color="#8A8A8A", strokeWidth=1, strokeDash=[4, 3], interpolate=step)
                .encode(order="cost:Q"),
                base.mark_rule(color="#8A8A8A", strokeWidth=1).encode(
                    x2="from_cost:Q", y2="from_value:Q"
                ),
                base.mark_point(size=90, filled=True, opacity=1).encode(tooltip=tooltip, **marks),
            ]
            better = "Higher" if entry.higher_is_better else "Lower"
            description = (
                f"A point for each model and precision: {metric.label} on {labels.name(task)} "
                f"against {entry.label}; {better.lower()} cost is better."
            )
            label = f"{view_label(task, metric)} / {entry.label}"
            spec = alt.layer(*parts, data=ROWS).to_dict(validate=False)
            figure.views.append(View(label, spec, rows, description))
    return figure


def _agreement(table: pd.DataFrame) -> Figure:
    figure = Figure(
        "retrievers",
        "Agreement of the retrievers",
        "How far the rankings of two retrievers agree, mean over the queries; 1 is full agreement.",
    )
    measures = {"top1": "same first document", "top5": "first five in common", "rbo": "RBO"}
    for task, part in table.groupby("task", sort=False):
        order = list(dict.fromkeys([*part["retriever_a"], *part["retriever_b"]]))
        order = [labels.name(name) for name in order]
        for measure, text in measures.items():
            rows = [
                {"a": labels.name(row["retriever_a"]), "b": labels.name(row["retriever_b"]),
                 "value": plain(row[measure]), "text": f"{row[measure]:.2f}"}
                for row in part.to_dict("records")
            ]  # fmt: skip
            rows += [{"a": row["b"], "b": row["a"], **_only(row, "value", "text")} for row in rows]
            base = alt.Chart().encode(
                x=alt.X("a:N", sort=order, title=None, axis=alt.Axis(labelAngle=0)),
                y=alt.Y("b:N", sort=order, title=None),
                tooltip=[*tips("a", "b"), tip("value", text.capitalize(), ".3f")],
            )
            color = alt.Color(
                "value:Q", scale=alt.Scale(domain=[0, 1], scheme="blues"), legend=None
            )
            dark = alt.when(alt.datum.value > 0.5).then(alt.value("white"))
            parts = [
                base.mark_rect().encode(color=color),
                base.mark_text(fontSize=13).encode(
                    text="text:N", color=dark.otherwise(alt.value("black"))
                ),
            ]
            description = f"Heat map on {labels.name(task)}, {text}: " + "; ".join(
                f"{row['a']} and {row['b']} {row['text']}" for row in rows[: len(rows) // 2]
            )
            spec = alt.layer(*parts, data=ROWS).to_dict(validate=False)
            label = f"{labels.name(task)}, {text}"
            figure.views.append(View(label, spec, rows, description + ".", 44))
    return figure


def _only(row: Mapping[str, Any], *columns: str) -> dict[str, Any]:
    return {column: row[column] for column in columns}
