"""How columns of the tables are called."""

from quantrag.presentation.columns import COLUMNS, RETRIEVAL_MEASURES
from quantrag.retrieval.quality import MEASURES


def test_measures_of_retrieval_are_those_that_are_computed():
    assert list(RETRIEVAL_MEASURES) == list(MEASURES)
    assert COLUMNS.keys() >= set(MEASURES)
