"""The report's agreement of retrievers."""

import pytest

import figure_tables
from figure_views import views


@pytest.fixture
def found():
    tables = figure_tables.make(1, 1, 2, 3, 2)
    tables["retrievers"] = tables["retrievers"].assign(top1=[0.25, 0.5, 1.0])
    return views("retrievers_compared", tables)


def test_every_pair_is_shown_both_ways(found):
    assert len(found) == 3
    view = next(iter(found.values()))
    pairs = [("BM25", "Contriever"), ("BM25", "DPR"), ("Contriever", "DPR")]
    expected = dict(zip(pairs, (0.25, 0.5, 1), strict=True))
    expected |= {pair[::-1]: value for pair, value in expected.items()}
    assert {(row["a"], row["b"]): row["value"] for row in view.rows} == expected
    assert view.row_height > 0


def test_the_description_says_each_pair_once(found):
    text = next(iter(found.values())).description
    assert text.endswith(": BM25 and Contriever 0.25; BM25 and DPR 0.50; Contriever and DPR 1.00.")
