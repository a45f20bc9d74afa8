"""The figures of the page: Vega-Lite specifications, and the rows that they show.

A module for each figure. A specification has no data and no sizes: the page fills in the rows of
the chosen models, precisions and retrievers, and as many panels side by side as the window holds.
"""

from collections.abc import Mapping
from importlib import import_module

import pandas as pd
from altair.utils.schemapi import debug_mode

from quantrag.names import NOISE_FLOOR
from quantrag.presentation import labels
from quantrag.presentation.catalogue import FIGURES, FigureEntry
from quantrag.presentation.data import OrderedNames, main_metrics_first, ordered_names
from quantrag.presentation.report.views import ReportFigure, View


def report_figures(tables: Mapping[str, pd.DataFrame], confidence: float) -> list[ReportFigure]:
    """Every figure of the catalogue that the tables allow.

    Args:
        tables: the tables of the experiment by name; at least `scores` and `comparisons`.
        confidence: of the intervals, from 0 to 1.
    """
    names = ordered_names(tables["scores"], tables["comparisons"])
    devices = set()
    if "costs" in tables:
        devices = set(tables["costs"]["engine"] + " on " + tables["costs"]["device"])
    said = {
        "baseline": labels.name(names.baseline),
        "noise_floor": bool((tables["scores"]["precision"] == NOISE_FLOOR).any()),
        "devices": "; ".join(sorted(devices)),
        "ks": names.ks,
    }
    # The first sheet of a figure is what a reader sees of it.
    tables = {
        name: main_metrics_first(table) if "metric" in table else table
        for name, table in tables.items()
    }
    found = []
    # Checking every part against the schema takes longer than all else; the tests do it instead.
    with debug_mode(False):
        for entry in FIGURES.values():
            if not (entry.interactive and tables.keys() >= set(entry.tables)):
                continue
            views = views_of(entry, tables, names, f"{confidence * 100:g}%")
            if views:
                caption = entry.report_caption(confidence, **said)
                found.append(ReportFigure(entry.name, entry.title, caption, views))
    return found


def views_of(
    entry: FigureEntry, tables: Mapping[str, pd.DataFrame], names: OrderedNames, level: str
) -> list[View]:
    """The sheets of a figure; none where the tables have nothing to show.

    Args:
        entry: the figure.
        tables: its tables by name.
        names: of the experiment.
        level: confidence of the intervals in percent, as it is printed.
    """
    return import_module(f"{__name__}.{entry.name}").views(tables, names, level)
