"""The printed figure of differences by evidence."""

import numpy as np

from figure_drawing import draw
from quantrag.presentation.labels import EVIDENCE
from quantrag.statistics.trends import ALL


def test_a_place_for_each_part_with_the_comparison_of_all_cells(demo):
    figure = draw("evidence", demo)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == list(EVIDENCE.values())
    table = demo["evidence"]
    rows = table[(table["k"] == ALL) & (table["task"] == "LaMP-3U") & (table["metric"] == "mae")]
    drawn = np.concatenate(
        [line.get_xydata() for line in axes.lines if line.get_linestyle() == "None"]
    )
    places = [(list(EVIDENCE).index(row.evidence), row.difference) for row in rows.itertuples()]
    assert sorted(map(tuple, drawn.round(9))) == sorted((x, round(y, 9)) for x, y in places)


def test_without_known_evidence_it_says_so(demo):
    figure = draw("evidence", {"evidence": demo["evidence"].iloc[:0]})
    assert [text.get_text() for text in figure.texts] == ["No question's evidence is known."]
