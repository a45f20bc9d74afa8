"""All figures by name."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from quantrag.presentation.figures import (
    checkpoints,
    flips,
    forest,
    k_sweep,
    quality_cost,
    quantization_gap,
    retrievers,
)

_DRAW = {
    "k_sweep": k_sweep.draw,
    "quantization_gap": quantization_gap.draw,
    "forest": forest.draw,
    "retrievers": retrievers.draw,
    "flips": flips.draw,
    "quality_cost": quality_cost.draw,
    "checkpoints": checkpoints.draw,
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
