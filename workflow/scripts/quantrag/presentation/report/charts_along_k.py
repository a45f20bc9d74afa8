"""The page's figures with the number of documents on the horizontal axis."""

import altair as alt
import pandas as pd

from quantrag.grid import K
from quantrag.names import NOISE_FLOOR
from quantrag.presentation import labels
from quantrag.presentation.data import Grid
from quantrag.presentation.figures.quantization_gap import noise_floor
from quantrag.presentation.report.views import (
    Figure,
    View,
    count_tip,
    facet,
    lines,
    over_k,
    precision_marks,
    tip,
    tips,
    view_label,
    with_panel,
)


def k_sweep(scores: pd.DataFrame, names: Grid, level: str) -> Figure:
    figure = Figure(
        "k_sweep",
        "Score against k",
        f"All precisions of a model read the same prompts. Bands: {level} bootstrap intervals over "
        "users. k = 0 has no retriever and is the common first point; 4K stands for as many whole "
        "documents as fit in 4 times 1,024 tokens.",
    )
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
        figure.views.append(
            View(view_label(task, metric), facet(parts), with_panel(rows), description)
        )
    return figure


def gap(comparisons: pd.DataFrame, scores: pd.DataFrame, names: Grid, level: str) -> Figure:
    noisy = bool((scores["precision"] == NOISE_FLOOR).any())
    figure = Figure(
        "quantization_gap",
        "Difference to the baseline against k",
        f"Precision minus {labels.name(names.baseline)} on the same prompts, with {level} "
        "intervals. Pale band: the equivalence margin."
        + noisy
        * (
            " Dashed grey lines: the noise floor, how far the baseline is from itself when it "
            "answers again in another batch order."
        ),
    )
    for (task, key), part in comparisons.groupby(["task", "metric"], sort=False):
        metric = labels.metric(key)
        if noisy:
            own = scores[(scores["task"] == task) & (scores["metric"] == key)]
            cell = ["task", "model", "retriever", "k"]
            part = part.merge(noise_floor(own, names.baseline), on=cell, how="left")
        columns = ["difference", "ci_low", "ci_high", "margin", "p_holm", "verdict"]
        rows = lines(part, names, names.compared, columns + ["noise"] * noisy)
        for row in rows:
            row["margin_low"] = None if row["margin"] is None else -row["margin"]
            if row.get("noise") is not None:
                row["noise_low"] = -row["noise"]
        better = "above" if metric.higher_is_better else "below"
        title = f"Difference in {metric.axis}"
        tooltip = [*tips("precision", "model", "retriever", "k", "verdict")]
        tooltip += [tip("difference", "Difference", "+.4f"), tip("ci_low", f"{level} from")]
        tooltip += [tip("ci_high", "to"), tip("margin", "Margin ±")]
        tooltip += [tip("p_holm", "Adjusted p", ".3g")]
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
        largest = part.loc[part["difference"].abs().idxmax()] if len(part) else None
        description = (
            f"Differences in {metric.label} on {labels.name(task)} with intervals against the "
            f"number of documents; {better} 0 is better. Largest: {largest['difference']:+.4f}, "
            f"{labels.name(largest['precision'])} of {largest['model']} at k = "
            f"{K.parse(largest['k']).label} ({largest['verdict']})."
        )
        figure.views.append(
            View(view_label(task, metric), facet(parts), with_panel(rows), description)
        )
    return figure


def flips(comparisons: pd.DataFrame, names: Grid) -> Figure:
    noisy = bool(comparisons["noise_flip_rate"].notna().any())
    figure = Figure(
        "flips",
        "Changed answers against k",
        f"Share of answers that differ from {labels.name(names.baseline)}'s on the same prompts. "
        "An equal score can hide many changed answers that cancel out."
        + (" Grey area: the noise floor, two passes of the baseline itself." if noisy else ""),
    )
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
        figure.views.append(View(labels.name(task), facet(parts), with_panel(rows), description))
    return figure
