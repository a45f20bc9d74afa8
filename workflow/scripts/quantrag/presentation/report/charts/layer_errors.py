"""The report's figure: Quantization error by layer."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from quantrag.presentation import labels
from quantrag.presentation.columns import COLUMNS
from quantrag.presentation.data import OrderedNames
from quantrag.presentation.figures.layer_errors import MEASURES, by_layer, spans_powers
from quantrag.presentation.report.views import View, facet, marks, plain, printed, tip, tips


def views(tables: Mapping[str, pd.DataFrame], names: OrderedNames, level: str) -> list[View]:
    """Error against layer: a panel for each model and precision, a line for each kind of module."""
    checkpoints = tables["checkpoints"]
    found = []
    layers = by_layer(checkpoints)
    kinds = list(layers["module"].unique())
    for measure in MEASURES:
        title = COLUMNS[measure].title
        part = layers[layers[measure].notna()]
        if part.empty:
            continue
        y = alt.Y("value:Q", title="Relative error", scale=alt.Scale(zero=True))
        if spans_powers(part[measure]):
            powers = alt.Axis(values=[10.0**power for power in range(-6, 3)])
            y = y.scale(type="log", nice=False).axis(powers)
        rows = []
        for row in part.to_dict("records"):
            own = printed(row)
            rows.append(
                {
                    "panel": f"{row['model']}, {own['precision']}",
                    **own,
                    "module": row["module"],
                    "layer": plain(row["layer"]),
                    "value": plain(row[measure]),
                }
            )
        line = alt.Chart().encode(
            x=alt.X("layer:Q", title="Layer", axis=alt.Axis(tickMinStep=1, grid=False)),
            y=y,
            tooltip=[
                *tips("model", "precision"),
                alt.Tooltip("layer:Q", title="Layer"),
                alt.Tooltip("module:N", title="Module"),
                tip("value", title),
            ],
            **marks("module", kinds, range(len(kinds))),
        )
        parts = [line.mark_line(strokeWidth=1.4), line.mark_point(size=22, filled=True)]
        worst = part.loc[part[measure].idxmax()]
        means = "; ".join(
            f"{model}, {labels.name(precision)} {value:.3g}"
            for (model, precision), value in part.groupby(["model", "precision"], sort=False)[
                measure
            ].mean().items()
        )  # fmt: skip
        description = (
            f"{title} against the layer, a line for each kind of module. Means: {means}. Largest: "
            f"{worst[measure]:.3g}, {worst['module']} of layer {worst['layer']:.0f} of "
            f"{worst['model']}, {labels.name(worst['precision'])}."
        )
        found.append(View(title, facet(parts), rows, description))
    return found
