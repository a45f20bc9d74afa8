"""The report's changed answers along k."""

import pytest

import figure_tables
from figure_views import marks, views


def test_changed_answers_are_those_of_any_one_metric(demo):
    found = views("flips", demo)
    assert list(found) == ["LaMP-3U", "LaMP-5U"]
    rows = found["LaMP-3U"].rows
    # A precision is compared, in 2 retrievers' lines of 4 places.
    assert len(rows) == 8
    own = demo["comparisons"].set_index(["task", "metric", "retriever", "k"])["flip_rate"]
    row = next(row for row in rows if row["retriever"] == "Contriever" and row["k"] == "2")
    assert row["flip_rate"] == pytest.approx(own["LaMP-3U", "mae", "contriever", "2"], rel=1e-5)
    shares = own["LaMP-3U"]
    assert f": {shares.min():.1%} to {shares.max():.1%}." in found["LaMP-3U"].description


def test_the_noise_floor_is_an_area_where_there_is_one(demo):
    assert marks(views("flips", demo)["LaMP-3U"]) == ["area", "line", "point"]
    without = views("flips", figure_tables.make(1, 1, 2, 1, 2, noise=False))
    assert marks(without["LaMP-3U"]) == ["line", "point"]
