"""All figures by name."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from quantrag.figures import k_sweep

_DRAW = {
    "k_sweep": k_sweep.draw,
}
FIGURES = tuple(_DRAW)


def draw(name: str, tables: Mapping[str, pd.DataFrame], confidence: float) -> Figure:
    """Draw a figure inside `style.context()`.

    Args:
        name: one of `FIGURES`.
        tables: the tables that the figure's own `draw` names.
        confidence: of the intervals in the tables, between 0 and 1.
    """
    return _DRAW[name](**tables, confidence=confidence)
