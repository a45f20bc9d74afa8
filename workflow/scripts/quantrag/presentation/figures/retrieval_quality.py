"""The quality of retrieval: recall, MRR and nDCG of each retriever."""

import pandas as pd
from matplotlib.figure import Figure

from quantrag.presentation import labels
from quantrag.presentation.columns import COLUMNS, RETRIEVAL_MEASURES
from quantrag.presentation.data import measured_retrieval
from quantrag.presentation.figures import lines, style
from quantrag.presentation.figures.canvas import only_text
from quantrag.presentation.figures.layout import Block, Sheet


def draw(retrieval: pd.DataFrame, confidence: float) -> Figure:
    """Draw a panel per task: the measures side by side, a mark per retriever.

    Args:
        retrieval: `retrieval.csv`.
        confidence: of its intervals.
    """
    found = measured_retrieval(retrieval)
    if found.empty:
        return only_text("No question's evidence is known: nothing to measure.")
    looks = style.retriever_styles(list(found["retriever"].unique()))
    blocks = {
        task: Block(
            labels.name(task), "Quality of retrieval, higher is better", [None], [[None]], ""
        )
        for task in found["task"].unique()
    }
    sheet = Sheet(list(blocks.values()))
    for task, block in blocks.items():
        [[axes]] = block.axes
        axes.set_xlim(-0.45, len(RETRIEVAL_MEASURES) - 0.55)
        names = [COLUMNS[measure].label for measure in RETRIEVAL_MEASURES]
        axes.set_xticks(range(len(names)), names)
        for i, (retriever, look) in enumerate(looks.items()):
            rows = found[(found["task"] == task) & (found["retriever"] == retriever)]
            rows = rows.assign(x=rows["x"] + lines.apart(i, len(looks)))
            # Only recall goes on from one measure to the next.
            for _, part in rows.groupby(rows["measure"].str.partition("_")[0], sort=False):
                lines.whiskers(axes, part, look, "value", len(looks) > lines.MOST_BANDS)
        lines.from_zero(axes)
    sheet.finish([*lines.legend(list(looks), looks), lines.whisker_entry(confidence)])
    return sheet.figure
