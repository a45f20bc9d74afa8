"""replication.csv: published values beside ours, as OK, OKish or FAIL."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

_KEY = ["task", "model", "precision", "retriever", "k", "metric"]
REPLICATION_COLUMNS = [
    *_KEY,
    *["published", "ours", "ci_low", "ci_high", "difference", "tolerance", "status", "source"],
]


def replicate(published: Sequence[Mapping[str, Any]], scores: pd.DataFrame) -> pd.DataFrame:
    """Compare published values with ours.

    Args:
        published: from `quantrag.config.published.load_published`.
        scores: the table `scores.csv`, with k as strings.

    Returns:
        One row per published value whose cell we have, in the file's order, columns
        `REPLICATION_COLUMNS`. OK: no further apart than the tolerance. OKish: than twice the
        tolerance. FAIL otherwise. Our interval doesn't count: the vaguer it is, the more it holds.
    """
    columns = [*_KEY, "value", "tolerance", "source"]
    wanted = pd.DataFrame(list(published), columns=columns).rename(columns={"value": "published"})
    ours = scores[[*_KEY, "value", "ci_low", "ci_high"]].rename(columns={"value": "ours"})
    table = wanted.astype(dict.fromkeys(_KEY, str)).merge(
        ours.astype(dict.fromkeys(_KEY, str)), on=_KEY, how="inner"
    )
    table["difference"] = table["ours"] - table["published"]
    distance = table["difference"].abs()
    # A rounded value's last digit must not turn the scale.
    limit = table["tolerance"] * (1 + 1e-9)
    table["status"] = "FAIL"
    table.loc[distance <= 2 * limit, "status"] = "OKish"
    table.loc[distance <= limit, "status"] = "OK"
    return table[REPLICATION_COLUMNS]
