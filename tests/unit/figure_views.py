"""The sheets of one of the report's figures."""

import altair as alt

from quantrag.presentation.catalogue import FIGURES
from quantrag.presentation.data import ordered_names
from quantrag.presentation.report.charts import views_of


def views(name, tables):
    """Sheets by label, each checked against Vega-Lite's schema."""
    names = ordered_names(tables["scores"], tables["comparisons"])
    found = views_of(FIGURES[name], tables, names, "95%")
    for view in found:
        alt.Chart.from_dict(view.spec)
    return {view.label: view for view in found}


def marks(view):
    """The marks of a sheet's layers, from back to front."""
    layers = view.spec.get("spec", view.spec)["layer"]
    return [layer["mark"]["type"] for layer in layers]
