"""One record after the other, from every kind of file, with the place of what is wrong."""

import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantrag.errors import UserError
from quantrag.tasks.record_files import Columns, read_records

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
ROWS = st.lists(st.fixed_dictionaries({"id": TEXTS, "text": TEXTS}), max_size=4)


def written(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@settings(deadline=None)
@given(ROWS)
def test_every_kind_of_file_gives_the_same_records(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("records")
    table = pa.Table.from_pylist(rows, pa.schema([("id", pa.string()), ("text", pa.string())]))
    pq.write_table(table, folder / "a.parquet")
    written(folder / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    quoted = [
        [f'"{v.replace(chr(34), chr(34) * 2)}"' for v in (row["id"], row["text"])] for row in rows
    ]
    for name, delimiter in (("a.csv", ","), ("b.csv", ";"), ("a.tsv", "\t")):
        lines = [delimiter.join(fields) for fields in [["id", "text"], *quoted]]
        written(folder / name, "\r\n".join(lines))
    for name in ("a.parquet", "a.jsonl", "a.csv", "b.csv", "a.tsv"):
        assert [record for _, record in read_records(folder / name)] == rows


def test_places_are_lines_in_text_and_records_in_parquet(tmp_path):
    path = written(tmp_path / "a.jsonl", '\ufeff{"a": 1}\n\n{"a": "ü"}\n')
    assert list(read_records(path)) == [
        (f"{path}, line 1", {"a": 1}),
        (f"{path}, line 3", {"a": "ü"}),
    ]
    # A field goes over two lines, and a spreadsheet left an empty row behind.
    path = written(tmp_path / "a.csv", 'a,b\n1,"x\ny"\n,\n2,\n')
    assert list(read_records(path)) == [
        (f"{path}, line 2", {"a": "1", "b": "x\ny"}),
        (f"{path}, line 5", {"a": "2", "b": ""}),
    ]
    pq.write_table(pa.table({"a": [1, None]}), tmp_path / "a.parquet")
    places = [where for where, _ in read_records(tmp_path / "a.parquet")]
    assert places == [f"{tmp_path}/a.parquet, record {n}" for n in (1, 2)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"a": 1}\n' * 16 + '{"a": 1\n', "a.jsonl, line 17: not JSON"),
        ("a.jsonl", "[1]\n", "a.jsonl, line 1: not a JSON object"),
        ("a.jsonl", b"\xff{}", "a.jsonl: not a text file in UTF-8"),
        ("a.csv", "", "a.csv: not a readable CSV file (it has no names of columns)"),
        ("a.csv", "a,a\n1,2\n", "a.csv: two columns are named 'a'"),
        ("a.csv", "a,b\n1,2\n1\n", "a.csv, line 3: 1 fields, but 2 columns"),
        ("a.csv", 'a,b\n1,"2\n3', "a.csv, line 2: not CSV"),
        ("a.parquet", "x", "a.parquet: not a readable Parquet table"),
        ("a.xlsx", "x", "a.xlsx: unknown kind of table. Allowed: .jsonl, .csv, .tsv, .parquet"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, name, content, message):
    with pytest.raises(UserError, match=re.escape(message)):
        list(read_records(written(tmp_path / name, content)))


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_a_missing_file_is_said(tmp_path, name):
    with pytest.raises(UserError, match=rf"{name}: No such file"):
        list(read_records(tmp_path / name))


def test_columns_have_their_usual_names_record_by_record_unless_they_are_named():
    columns = Columns(
        {"id": None, "text": "body"}, {"id": ("id", "_id"), "text": ("text",)}, ["id"]
    )
    records = [("f, line 1", {"_id": 1}), ("f, line 2", {"id": 2, "body": "x"})]
    assert list(columns.checked(records)) == records
    assert [columns.name(record, "id") for _, record in records] == ["_id", "id"]
    assert columns.name({}, "text") == "body"
    assert columns.name({"id": None, "_id": 3}, "id") == "_id"
    assert columns.name({"_id": ""}, "id") == "_id"
    assert columns.name({}, "id") == "id"


def test_columns_that_are_nowhere_are_an_error():
    columns = Columns(
        {"id": None, "text": "body"}, {"id": ("id", "_id"), "text": ("text",)}, ["id"]
    )
    with pytest.raises(UserError, match=r"f, line 1: no id or _id here\. It has: x, y"):
        list(columns.checked([("f, line 1", {"x": 1, "y": 2})]))
    with pytest.raises(UserError, match="line 2: neither this nor an earlier record has 'body'"):
        list(columns.checked([(f"f, line {n}", {"id": n}) for n in (1, 2)]))
    assert list(columns.checked([])) == []
