"""The report's differences by evidence."""

from figure_views import views
from quantrag.presentation.labels import EVIDENCE
from quantrag.statistics.trends import ALL


def test_a_row_for_each_part_of_all_cells(demo):
    view = views("evidence", demo)["LaMP-3U, MAE"]
    assert sorted(row["place"] for row in view.rows) == sorted(EVIDENCE.values())
    table = demo["evidence"].query("task == 'LaMP-3U' and metric == 'mae'")
    assert len(view.rows) == (table["k"] == ALL).sum()
    assert view.rows[-1]["verdict"] == "in − not in"
    assert view.rows[-1]["margin_low"] is None
    verdict = view.spec["spec"]["layer"][3]["encoding"]["color"]["scale"]
    assert len(verdict["domain"]) == len(verdict["range"]) == 5


def test_no_known_evidence_is_no_figure(demo):
    assert views("evidence", {**demo, "evidence": demo["evidence"].iloc[:0]}) == {}
