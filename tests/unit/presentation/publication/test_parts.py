"""What publication tables share."""

import pandas as pd
import pytest

import figure_tables
from publication_samples import CRITERIA, PAPER
from quantrag.presentation.catalogue import PUBLICATION_TABLES
from quantrag.presentation.publication import make_tables
from quantrag.presentation.publication.parts import MOST_ROWS, paged
from quantrag.presentation.publication.typesetting import (
    Entry,
    PublicationTable,
    RowGroup,
)


def test_long_tables_are_split_without_losing_a_row():
    tables = figure_tables.make(1, 8, 6, 4, 2)
    parts = [t for t in make_tables("main", tables, CRITERIA) if "-mae" in t.label]
    assert len(parts) == 4
    assert len({part.label for part in parts}) == 4
    assert parts[1].caption.endswith("Part 2 of 4.")
    assert all(sum(len(g.rows) for g in part.groups) <= MOST_ROWS for part in parts)
    assert sum(len(g.rows) for part in parts for g in part.groups) == 8 * 6 * 4


def test_a_group_longer_than_a_page_is_split():
    rows = [[Entry(str(i)), Entry("x")] for i in range(MOST_ROWS + 5)]
    table = PublicationTable(
        "t", "c", ["a", "b"], 1, [RowGroup("g", rows), RowGroup("h", rows[:3])]
    )
    parts = paged(table)
    assert [[len(g.rows) for g in part.groups] for part in parts] == [[MOST_ROWS], [5, 3]]


@pytest.mark.parametrize("size", [(2, 1, 2, 2, 4), PAPER, (2, 8, 6, 4, 8)], ids=str)
def test_every_row_has_every_column(size):
    tables = figure_tables.make(*size)
    made = [table for name in PUBLICATION_TABLES for table in make_tables(name, tables, CRITERIA)]
    assert len({table.label for table in made}) == len(made)
    for table in made:
        assert all(len(row) == len(table.columns) for g in table.groups for row in g.rows)


def test_frames_are_left_as_they_were(demo):
    before = {name: table.copy() for name, table in demo.items()}
    for name in PUBLICATION_TABLES:
        make_tables(name, demo, CRITERIA)
    for name, table in demo.items():
        pd.testing.assert_frame_equal(table, before[name])
