"""The report's figure: Agreement of the rankings of retrievers."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from quantrag.presentation import labels
from quantrag.presentation.columns import COLUMNS
from quantrag.presentation.data import OrderedNames
from quantrag.presentation.figures.retrievers_compared import MEASURES
from quantrag.presentation.report.views import View, layered, plain, tip, tips


def views(tables: Mapping[str, pd.DataFrame], names: OrderedNames, level: str) -> list[View]:
    """A heat map of the agreement of retrievers for each task and measure."""
    retrievers = tables["retrievers"]
    found = []
    for task, part in retrievers.groupby("task", sort=False):
        order = list(dict.fromkeys([*part["retriever_a"], *part["retriever_b"]]))
        order = [labels.name(name) for name in order]
        for measure in MEASURES:
            text = COLUMNS[measure].label
            rows = [
                {"a": labels.name(row["retriever_a"]), "b": labels.name(row["retriever_b"]),
                 "value": plain(row[measure]), "text": f"{row[measure]:.2f}"}
                for row in part.to_dict("records")
            ]  # fmt: skip
            rows += [{**row, "a": row["b"], "b": row["a"]} for row in rows]
            base = alt.Chart().encode(
                x=alt.X("a:N", sort=order, title=None, axis=alt.Axis(labelAngle=0)),
                y=alt.Y("b:N", sort=order, title=None),
                tooltip=[*tips("a", "b"), tip("value", COLUMNS[measure].title, ".3f")],
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
            spec = layered(parts)
            label = f"{labels.name(task)}, {text}"
            found.append(View(label, spec, rows, description + ".", 44))
    return found
