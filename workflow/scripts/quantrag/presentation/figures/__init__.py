"""The printed figures: a module for each, and what they share."""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_figure(name: str, tables: Mapping[str, "pd.DataFrame"], confidence: float) -> "Figure":
    """Draw a figure inside `style.context()`.

    Args:
        name: one of `quantrag.presentation.catalogue.FIGURES`.
        tables: the tables that it is made from, by name.
        confidence: of the intervals in the tables, from 0 to 1.
    """
    return import_module(f"{__name__}.{name}").draw(**tables, confidence=confidence)
