"""Tables on disk: Parquet between stages, CSV for people.

Both are written under a temporary name and renamed, so a killed job never leaves half a table
under the final name, and both are deterministic: the same frame gives the same bytes.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from quantrag.errors import UserError


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path` if the block ends without error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_table(
    table: pd.DataFrame | pa.Table, path: str | Path, metadata: Mapping[str, str] | None = None
) -> None:
    """Write a table as Parquet (zstd), with `metadata` as the file's key-value metadata.

    A `pyarrow.Table` keeps its exact types; a DataFrame is converted without its index.
    """
    if isinstance(table, pd.DataFrame):
        table = pa.Table.from_pandas(table, preserve_index=False)
    # pandas' own metadata names library versions, which would change the bytes between machines.
    table = table.replace_schema_metadata(dict(metadata or {}))
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_arrow(path: str | Path, columns: list[str] | None = None) -> pa.Table:
    """Read a Parquet table. Raises UserError when the file is missing or is not Parquet."""
    try:
        return pq.read_table(path, columns=columns, partitioning=None)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file.") from None
    except pa.ArrowInvalid as error:
        raise UserError(f"{path}: not a readable Parquet table ({error}).") from None


def read_table(path: str | Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a Parquet table as a DataFrame. Raises UserError as `read_arrow` does."""
    return read_arrow(path, columns).to_pandas()


def column_names(path: str | Path) -> list[str]:
    """Names of a Parquet table's columns. Raises UserError as `read_arrow` does."""
    try:
        return pq.read_schema(path).names
    except FileNotFoundError:
        raise UserError(f"{path}: no such file.") from None
    except pa.ArrowInvalid as error:
        raise UserError(f"{path}: not a readable Parquet table ({error}).") from None


def read_metadata(path: str | Path) -> dict[str, str]:
    """Key-value metadata that `write_table` stored, without Arrow's own entries."""
    return table_metadata(pq.read_schema(path))


def table_metadata(schema: pa.Schema) -> dict[str, str]:
    """Key-value metadata of a schema, without Arrow's own entries."""
    raw = schema.metadata or {}
    return {key.decode(): value.decode() for key, value in raw.items() if key != b"ARROW:schema"}


def write_text(text: str, path: str | Path) -> None:
    """Write a text in UTF-8, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a CSV with 10 significant digits, so that a sum's last bits don't show as changes."""
    with atomic_path(path) as temporary:
        frame.to_csv(temporary, index=False, float_format="%.10g", lineterminator="\n")
