"""Files with one record after the other: JSONL, CSV, TSV and Parquet, read as streams."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from quantrag.errors import UserError
from quantrag.tasks.question_files import TABLES

#: Where a record stands, for messages, and its content by column.
PlacedRecord = tuple[str, dict[str, Any]]

#: Longest field of a CSV file in characters, as large as Python lets it be on every system.
_LONGEST_FIELD = 2**31 - 1
_ROWS = 1024  # of a Parquet file that are Python objects at a time


def read_records(path: str | Path) -> Iterator[PlacedRecord]:
    """Place and content of each record, in order.

    In CSV and TSV everything is text, and a record without any is skipped; a file that separates
    its columns by semicolons is read too, since spreadsheets write such files.

    Args:
        path: a file whose name ends in one of `TABLES`.

    Raises:
        UserError: the file is missing, of another kind or broken; says in which line.
    """
    path = Path(path)
    try:
        match path.suffix.lower():
            case ".jsonl":
                yield from _json_lines(path)
            case ".csv" | ".tsv":
                yield from _separated(path)
            case ".parquet":
                yield from _parquet(path)
            case _:
                allowed = ", ".join(TABLES)
                raise UserError(f"{path}: unknown kind of table. Allowed: {allowed}.")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not a text file in UTF-8 ({error}).") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}.") from None


def _json_lines(path: str | Path) -> Iterator[PlacedRecord]:
    """Place and content of each line of a JSONL file; empty lines are skipped.

    Raises:
        UserError: a line isn't a JSON object.
        OSError, UnicodeDecodeError: the file can't be read.
    """
    with open(path, encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            where = f"{path}, line {number}"
            try:
                content = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise UserError(f"{where}: not JSON ({error}).") from None
            if not isinstance(content, dict):
                raise UserError(f"{where}: not a JSON object.")
            yield where, content


def _separated(path: Path) -> Iterator[PlacedRecord]:
    csv.field_size_limit(_LONGEST_FIELD)
    with open(path, encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        file.seek(0)
        delimiter = "\t" if path.suffix.lower() == ".tsv" else max(",;\t", key=header.count)
        rows = csv.reader(file, delimiter=delimiter, strict=True)
        before = 0
        try:
            names = next(rows, None)
            if not names:
                raise UserError(f"{path}: not a readable CSV file (it has no names of columns).")
            for name in names:
                if names.count(name) > 1:
                    raise UserError(f"{path}: two columns are named {name!r}.")
            before = rows.line_num
            for row in rows:
                where, before = f"{path}, line {before + 1}", rows.line_num
                if not any(row):
                    continue
                if len(row) != len(names):
                    raise UserError(f"{where}: {len(row)} fields, but {len(names)} columns.")
                yield where, dict(zip(names, row, strict=True))
        except csv.Error as error:
            raise UserError(f"{path}, line {before + 1}: not CSV ({error}).") from None


def _parquet(path: Path) -> Iterator[PlacedRecord]:
    number = 0
    try:
        with open(path, "rb") as stream, pq.ParquetFile(stream) as file:
            for batch in file.iter_batches(_ROWS):
                for record in batch.to_pylist():
                    number += 1
                    yield f"{path}, record {number}", record
    except pa.ArrowInvalid as error:
        raise UserError(f"{path}: not a readable Parquet table ({error}).") from None


class Columns:
    """Which column of a record holds what: named in the configuration, else by its usual name.

    Args:
        given: names that the configuration gives, by what the column holds; None for a usual one.
        usual: the usual names.
        needed: what every record must have.
    """

    def __init__(
        self,
        given: Mapping[str, str | None],
        usual: Mapping[str, Sequence[str]],
        needed: Sequence[str],
    ) -> None:
        self._names = {key: [given[key]] if given[key] else names for key, names in usual.items()}
        self._named = {name for name in given.values() if name}
        self._needed = needed

    def name(self, record: Mapping[str, Any], key: str) -> str:
        """Name of the column in a record that holds something, else of one that is there."""
        names = self._names[key]
        filled = (name for name in names if record.get(name) not in (None, "", []))
        there = (name for name in names if name in record)
        return next(chain(filled, there), names[0])

    def checked(self, records: Iterable[PlacedRecord]) -> Iterator[PlacedRecord]:
        """The records themselves.

        Raises:
            UserError: the first lacks a column that is needed, or none has one that was named.
        """
        missing, where, record = set(self._named), "", {}
        for n, (where, record) in enumerate(records):
            for key in self._needed if n == 0 else ():
                if self.name(record, key) not in record:
                    wanted, found = " or ".join(self._names[key]), ", ".join(map(str, record))
                    raise UserError(f"{where}: no {wanted} here. It has: {found}.")
            missing -= record.keys()
            yield where, record
        if record and missing:
            raise UserError(f"{where}: neither this nor an earlier record has {min(missing)!r}.")
