"""Tables are written whole or not at all, and the same table gives the same bytes."""

import pandas as pd
import pyarrow as pa
import pytest

from quantrag.errors import UserError
from quantrag.tables import (
    atomic_path,
    read_arrow,
    read_metadata,
    read_table,
    write_csv,
    write_table,
)


def test_a_table_comes_back_with_its_types_and_metadata(tmp_path):
    table = pa.table({"rank": pa.array([1, 2], pa.int32()), "ids": [["a"], []]})
    write_table(table, tmp_path / "t.parquet", {"provenance": "{}"})
    assert read_arrow(tmp_path / "t.parquet").schema.types == table.schema.types
    assert read_metadata(tmp_path / "t.parquet") == {"provenance": "{}"}


def test_the_same_table_gives_the_same_bytes(tmp_path):
    frame = pd.DataFrame({"query_id": ["a", "b"], "score": [0.5, 1.5]})
    for name in ("one", "two"):
        write_table(frame, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path):
    target = tmp_path / "t"
    target.write_text("old")

    def write_half():
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_what_cannot_be_read_is_named(tmp_path):
    (tmp_path / "text").write_text("no table")
    with pytest.raises(UserError, match=r"text: not a readable Parquet table"):
        read_table(tmp_path / "text")
    with pytest.raises(UserError, match=r"missing: no such file"):
        read_table(tmp_path / "missing")


def test_csv_hides_the_last_bits_of_a_sum(tmp_path):
    write_csv(pd.DataFrame({"value": [0.1 + 0.2]}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "value\n0.3\n"
