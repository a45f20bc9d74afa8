"""The report's changed answers and scores against likelihoods."""

import pytest

import figure_tables
from figure_views import marks, views


def test_a_mark_is_a_comparison(demo):
    tables = figure_tables.with_likelihoods(demo)
    found = views("likelihood", tables)
    assert list(found) == ["LaMP-5U, changed answers", "LaMP-5U, ROUGE-L"]
    rows = found["LaMP-5U, ROUGE-L"].rows
    # A precision is compared; k = 0, and 3 k with 2 retrievers.
    assert len(rows) == 7
    for row in rows:
        assert row["likelihood_difference"] == pytest.approx(-row["difference"] / 2, rel=1e-4)
    assert marks(found["LaMP-5U, changed answers"]) == ["rule", "point"]


def test_without_likelihoods_there_are_no_sheets(demo):
    assert views("likelihood", demo) == {}
