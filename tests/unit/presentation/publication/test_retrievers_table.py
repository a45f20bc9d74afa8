"""Agreement of the retrievers."""

from publication_samples import CRITERIA, cells
from quantrag.presentation.publication import make_tables


def test_agreement_of_the_retrievers(demo):
    (table,) = make_tables("retrievers", demo, CRITERIA)
    assert cells(table)[0][:2] == ["BM25", "Contriever"]
    assert cells(table)[0][-1] == "2,500"
