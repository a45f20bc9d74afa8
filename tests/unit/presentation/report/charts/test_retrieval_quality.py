"""The report's quality of retrieval."""

import pytest

import figure_tables
from figure_views import marks, views


def test_every_measure_of_every_retriever_has_a_mark():
    tables = figure_tables.make(2, 1, 2, 3, 2)
    found = views("retrieval_quality", tables)
    assert list(found) == ["LaMP-3U", "LaMP-5U"]
    view = found["LaMP-5U"]
    assert marks(view) == ["rule", "point"]
    assert len(view.rows) == 3 * 6
    row = tables["retrieval"].iloc[3]
    assert view.rows[0]["retriever"] == "BM25"
    assert view.rows[0]["measure"] == "recall@1"
    assert view.rows[0]["value"] == pytest.approx(row["recall_1"], abs=1e-6)
    assert f"recall@1: BM25 {row['recall_1']:.3f}; Contriever" in view.description


def test_tasks_without_known_evidence_have_no_sheet():
    tables = figure_tables.make(2, 1, 2, 3, 2)
    retrieval = tables["retrieval"]
    tables["retrieval"] = retrieval.assign(
        n=retrieval["n"].where(retrieval["task"] == "LaMP-3U", 0)
    )
    assert list(views("retrieval_quality", tables)) == ["LaMP-3U"]
