"""Published values beside ours."""

from publication_samples import CRITERIA, cells
from quantrag.presentation.publication import make_tables
from quantrag.presentation.publication.typesetting import (
    to_latex,
)


def test_published_values_beside_ours(demo):
    (table,) = make_tables("replication", demo, CRITERIA)
    assert {row[-1] for group in range(4) for row in cells(table, group)} == {"OK", "OKish", "FAIL"}
    assert "made up, Table 1" in table.caption


def test_an_empty_replication_says_so(demo):
    tables = {"replication": demo["replication"].iloc[:0]}
    (table,) = make_tables("replication", tables, CRITERIA)
    assert table.groups == []
    assert "No published value is on file." in table.caption
    assert "bottomrule" in to_latex([table])
