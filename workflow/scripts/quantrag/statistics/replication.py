"""replication.csv: published values beside ours, as OK, OKish or FAIL."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jsonschema import Draft202012Validator

from quantrag.errors import UserError

_KEY = ["task", "model", "precision", "retriever", "k", "metric"]
REPLICATION_COLUMNS = [
    *_KEY,
    *["published", "ours", "ci_low", "ci_high", "difference", "tolerance", "status", "source"],
]


def load_published(path: str | Path, schema_path: str | Path) -> list[dict[str, Any]]:
    """Read and check a file of published values; k becomes a string, as everywhere in the data.

    Raises:
        UserError: the first thing that the schema doesn't allow, or a value given twice.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not YAML ({' '.join(str(error).split())}).") from None
    schema = yaml.safe_load(Path(schema_path).read_text(encoding="utf-8"))
    for error in Draft202012Validator(schema).iter_errors(content):
        where = ".".join(map(str, error.absolute_path)) or "(whole file)"
        raise UserError(f"{path}: {where}: {error.message}.")
    entries = [{**entry, "k": str(entry["k"])} for entry in content["results"]]
    seen: dict[tuple[str, ...], int] = {}
    for number, entry in enumerate(entries):
        key = tuple(entry[name] for name in _KEY)
        if key in seen:
            raise UserError(f"{path}: results.{number}: the same cell as results.{seen[key]}.")
        seen[key] = number
    return entries


def replicate(published: Sequence[Mapping[str, Any]], scores: pd.DataFrame) -> pd.DataFrame:
    """Compare published values with ours.

    Args:
        published: from `load_published`.
        scores: the table `scores.csv`, with k as strings.

    Returns:
        One row per published value whose cell we have, in the file's order, columns
        `REPLICATION_COLUMNS`. OK: no further apart than the tolerance. OKish: than twice the
        tolerance, or the published value lies inside our interval. FAIL otherwise.
    """
    columns = [*_KEY, "value", "tolerance", "source"]
    wanted = pd.DataFrame(list(published), columns=columns).rename(columns={"value": "published"})
    ours = scores[[*_KEY, "value", "ci_low", "ci_high"]].rename(columns={"value": "ours"})
    table = wanted.astype(dict.fromkeys(_KEY, str)).merge(
        ours.astype(dict.fromkeys(_KEY, str)), on=_KEY, how="inner"
    )
    table["difference"] = table["ours"] - table["published"]
    distance = table["difference"].abs()
    inside = table["published"].between(table["ci_low"], table["ci_high"])
    # A rounded value's last digit must not turn the scale.
    limit = table["tolerance"] * (1 + 1e-9)
    table["status"] = "FAIL"
    table.loc[(distance <= 2 * limit) | inside, "status"] = "OKish"
    table.loc[distance <= limit, "status"] = "OK"
    return table[REPLICATION_COLUMNS]
