"""A plain table, CSV, TSV, JSONL or Parquet: a row for each answer, in columns that are named."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quantrag.errors import UserError
from quantrag.recorded.record import (
    Record,
    golds_of,
    number,
    score_key,
    text_of,
)
from quantrag.tasks.record_files import read_records

#: Columns by what they hold, where the configuration names no others. Only `item` must exist.
COLUMNS = ("item", "answer", "gold", "input", "repetition", "cluster", "prompt_tokens")


def read(path: Path, options: Mapping[str, Any]) -> list[Record]:
    """The rows of a table.

    Args:
        path: a file that `quantrag.tasks.record_files` reads.
        options: `columns`, the names of columns by what they hold (`COLUMNS` has the defaults, and
            `scores` is a list: null takes every other column of numbers); `lower_is_better`, names
            of metrics of which less is better.

    Raises:
        UserError: the file is missing or unreadable, or lacks a column.
    """
    given = {key: name for key, name in (options.get("columns") or {}).items() if name is not None}
    names = {column: column for column in COLUMNS} | given
    rows = list(read_records(path))
    # A CSV file has nothing but texts.
    as_number = _number_in_text if path.suffix.lower() in (".csv", ".tsv") else number
    existing = list(dict.fromkeys(name for _, row in rows for name in row))
    listed = given.get("scores")
    needed = [names["item"], *(given[key] for key in given if key != "scores"), *(listed or [])]
    missing = [name for name in dict.fromkeys(needed) if name not in existing]
    if missing:
        raise UserError(f"{path}: no column {', '.join(missing)}; it has {', '.join(existing)}.")
    if listed is None:
        own = {names[key] for key in COLUMNS}
        listed = [
            name
            for name in existing
            if name not in own and all(as_number(row.get(name)) is not None for _, row in rows)
        ]
    keys = {name: score_key(name, options) for name in listed}
    records = []
    for where, row in rows:
        item, answer = row.get(names["item"]), row.get(names["answer"])
        if item is None or item == "":
            raise UserError(f"{where}: the column {names['item']!r} is empty.")
        scores = {}
        for name, key in keys.items():
            value = as_number(row.get(name))
            if value is None:
                raise UserError(f"{where}: {name} is {row.get(name)!r}, not a number.")
            scores[key] = value
        has_answers = names["answer"] in existing
        records.append(
            Record(
                item=text_of(item),
                where=where,
                text=("" if answer is None else text_of(answer)) if has_answers else None,
                golds=golds_of(row.get(names["gold"])),
                scores=scores,
                input=text_of(row.get(names["input"]) or ""),
                repetition=text_of(row.get(names["repetition"]) or ""),
                cluster=text_of(row.get(names["cluster"]) or ""),
                prompt_tokens=int(as_number(row.get(names["prompt_tokens"])) or 0),
            )
        )
    return records


def _number_in_text(value: str | None) -> float | None:
    try:
        return number(float(value or ""))
    except ValueError:
        return None
