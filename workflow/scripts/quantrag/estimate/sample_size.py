"""How many queries the margin needs, as far as an experiment's own answers tell."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from quantrag.scoring.metrics import METRICS
from quantrag.statistics.margins import in_words
from quantrag.tasks.task import Task

_COLUMNS = ["task", "metric", "margin_needs", "n_clusters"]


def sample_size(config: Mapping[str, Any], tasks: Sequence[Task], results: Path) -> list[str]:
    """How many clusters show equivalence within `statistics.margin`, and how many there are.

    The spread of the differences decides, and only answers at two precisions tell it: it is read
    from `margin_needs` of `tables/pooled.csv`, over all cells of a model together.

    Args:
        config: the configuration with its defaults.
        tasks: the experiment's tasks.
        results: the experiment's folder.
    """
    table = results / "tables" / "pooled.csv"
    rows = pd.read_csv(table) if table.is_file() else pd.DataFrame(columns=_COLUMNS)
    rows = rows[rows["margin_needs"].notna() & rows["metric"].isin(METRICS)]
    margin, power = config["statistics"]["margin"], config["statistics"]["power"]
    lines = []
    for task in tasks:
        for key, own in rows[rows["task"] == task.name].groupby("metric", sort=False):
            bounds = (own["margin_needs"].min(), own["margin_needs"].max())
            few, many = (f"{float(f'{count:.1e}'):,.0f}" for count in bounds)
            needed = few if few == many else f"{few} to {many}"
            lines.append(
                f"- {task.name}, {METRICS[key].label} {in_words(margin, METRICS[key])}: "
                f"{needed} {task.cluster.plural}; answered: {own['n_clusters'].max():,}"
            )
    if not lines:
        return [
            "How many queries statistics.margin needs depends on how much the answers differ: run",
            "a few hundred (max_queries of each task), then this again.",
        ]
    return [
        "Needed to show equivalence over all cells together, if a precision changes nothing on",
        f"average (with a probability of {power:.0%}; by the answers that are there):",
        *lines,
    ]
