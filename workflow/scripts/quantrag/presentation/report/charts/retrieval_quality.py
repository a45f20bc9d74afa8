"""The report's figure: Quality of retrieval."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from quantrag.presentation import labels
from quantrag.presentation.columns import COLUMNS, RETRIEVAL_MEASURES
from quantrag.presentation.data import OrderedNames, measured_retrieval
from quantrag.presentation.report.views import View, layered, marks, plain, tip, tips


def views(tables: Mapping[str, pd.DataFrame], names: OrderedNames, level: str) -> list[View]:
    """The measures of each task side by side, a mark with its interval per retriever."""
    measured = measured_retrieval(tables["retrieval"])
    found = []
    for task, part in measured.groupby("task", sort=False):
        retrievers = [labels.name(name) for name in part["retriever"].unique()]
        rows = [
            {
                "retriever": labels.name(row["retriever"]),
                "measure": COLUMNS[row["measure"]].label,
                **{column: plain(row[column]) for column in ("value", "ci_low", "ci_high", "n")},
            }
            for row in part.to_dict("records")
        ]
        order = [COLUMNS[measure].label for measure in RETRIEVAL_MEASURES]
        tooltip = [*tips("retriever"), alt.Tooltip("measure:N", title="Measure")]
        tooltip += [tip("value", "Value"), tip("ci_low", f"{level} from"), tip("ci_high", "to")]
        tooltip += [alt.Tooltip("n:Q", title="Questions", format=",")]
        look = marks("retriever", retrievers, range(len(retrievers)))
        del look["strokeDash"]
        base = alt.Chart().encode(
            x=alt.X("measure:N", sort=order, title=None, axis=alt.Axis(labelAngle=0)),
            xOffset=alt.XOffset("retriever:N", sort=retrievers),
            tooltip=tooltip,
        )
        scale = alt.Scale(domain=[0, 1])
        title = "Quality of retrieval, higher is better"
        parts = [
            base.mark_rule(strokeWidth=1.4).encode(
                y=alt.Y("ci_low:Q", title=title, scale=scale), y2="ci_high:Q", color=look["color"]
            ),
            base.mark_point(size=55, filled=True, opacity=1).encode(
                y=alt.Y("value:Q", title=title, scale=scale), **look
            ),
        ]
        said = "; ".join(
            f"{row['retriever']} {row['value']:.3f}" for row in rows if row["measure"] == order[0]
        )
        description = (
            f"Quality of retrieval on {labels.name(task)}, a mark for each retriever at each "
            f"measure. {order[0]}: {said}."
        )
        found.append(View(labels.name(task), layered(parts), rows, description))
    return found
