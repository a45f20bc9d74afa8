"""Data sets of the library `datasets` in a folder; those on the Hub need a revision."""

import json

import pytest

from quantrag.errors import UserError
from quantrag.tasks.data_sets import read_data_set


def test_records_of_a_folder_come_one_by_one(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [{"id": f"{n}", "text": f"text {n}"} for n in range(3)]
    (folder / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = list(read_data_set(str(folder), None, None, "test"))
    assert [record for _, record in found] == rows
    assert found[1][0] == f"data set {folder}, test, record 2"
    with pytest.raises(UserError, match=rf"data set {folder}: .*train"):
        list(read_data_set(str(folder), None, None, "train"))


def test_a_name_on_the_hub_needs_a_revision():
    with pytest.raises(UserError, match=r"owner/name is not a folder here, .* needs a revision"):
        list(read_data_set("owner/name", None, None, "train"))
