"""Answers in plain tables."""

import json

import pandas as pd
import pytest

from quantrag.errors import UserError
from quantrag.recorded import table

ROWS = [
    {"item": "a", "answer": "4", "gold": "4", "seconds": 1.5, "accuracy": 1},
    {"item": "b", "answer": "2", "gold": "5", "seconds": 2.5, "accuracy": 0},
]


def written(tmp_path, kind, rows=ROWS):
    path = tmp_path / f"answers.{kind}"
    frame = pd.DataFrame(rows)
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    else:
        frame.to_parquet(path)
    return path


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_every_kind_of_table_gives_the_same(tmp_path, kind):
    records = table.read(written(tmp_path, kind), {"lower_is_better": ["seconds"]})
    assert [(r.item, r.text, r.golds) for r in records] == [("a", "4", ("4",)), ("b", "2", ("5",))]
    assert [dict(r.scores) for r in records] == [
        {"seconds↓": 1.5, "accuracy↑": 1.0},
        {"seconds↓": 2.5, "accuracy↑": 0.0},
    ]


def test_columns_may_have_other_names(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,said,07\n01,Yes,3\n02,,4\n", encoding="utf-8")
    columns = {"item": "id", "answer": "said", "scores": []}
    records = table.read(path, {"columns": columns})
    assert [(r.item, r.text, r.golds, r.scores) for r in records] == [
        ("01", "Yes", (), {}),
        ("02", "", (), {}),
    ]


def test_a_list_holds_several_golds(tmp_path):
    rows = [{"item": 1, "answer": "x", "gold": ["x", "y"]}]
    assert table.read(written(tmp_path, "jsonl", rows), {})[0].golds == ("x", "y")


def test_a_table_without_answers_has_only_scores(tmp_path):
    rows = [{"item": 1, "error": 0.5}]
    [record] = table.read(written(tmp_path, "jsonl", rows), {})
    assert record.text is None
    assert record.scores == {"error↓": 0.5}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"item": "id"}, "answers.csv: no column id; it has item, answer, gold, seconds"),
        ({"gold": "key"}, "no column key"),
        ({"scores": ["f1"]}, "no column f1"),
        ({"scores": ["answer"]}, None),
    ],
)
def test_a_missing_column_is_named(tmp_path, columns, message):
    path = written(tmp_path, "csv")
    if message is None:
        assert table.read(path, {"columns": columns})[0].scores == {"answer↑": 4.0}
        return
    with pytest.raises(UserError, match=message):
        table.read(path, {"columns": columns})


def test_what_is_no_number_is_named_with_its_row(tmp_path):
    rows = [*ROWS, {"item": "c", "answer": "1", "gold": "1", "seconds": None, "accuracy": 1}]
    with pytest.raises(UserError, match=r"answers\.jsonl, line 3: seconds is None, not a number"):
        table.read(written(tmp_path, "jsonl", rows), {"columns": {"scores": ["seconds"]}})


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "", "unknown kind of table. Allowed: .jsonl, .csv, .tsv, .parquet"),
        ("a.jsonl", '{"item": 1}\n{', "a.jsonl, line 2: not JSON"),
        ("a.jsonl", "[1]", "line 1: not a JSON object"),
        ("a.csv", "", "not a readable CSV file"),
        ("a.parquet", "PAR", "not a readable Parquet table"),
        ("a.csv", "item,answer\n,x\n", "line 2: the column 'item' is empty"),
    ],
)
def test_broken_files_are_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=message):
        table.read(tmp_path / name, {})


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(UserError, match=f"{name}: [Nn]o such file"):
        table.read(tmp_path / name, {})
