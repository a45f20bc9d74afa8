"""The quality of retrieval in print."""

import pytest

import figure_tables
import figure_text
from figure_drawing import draw


def test_every_measure_of_every_retriever_is_drawn_with_its_interval():
    tables = figure_tables.make(2, 1, 2, 3, 2)
    figure = draw("retrieval_quality", tables)
    rows = tables["retrieval"]
    assert len(figure.axes) == 2
    for axes, (_, part) in zip(figure.axes, rows.groupby("task", sort=False), strict=True):
        names = ["recall@1", "recall@3", "recall@5", "recall@10", "MRR", "nDCG@10"]
        assert [text.get_text() for text in axes.get_xticklabels()] == names
        # For each retriever recall as a line, and two points.
        assert [len(line.get_xdata()) for line in axes.lines] == [4, 1, 1] * 3
        drawn = [y for line in axes.lines for y in line.get_ydata()]
        measures = ["recall_1", "recall_3", "recall_5", "recall_10", "mrr", "ndcg_10"]
        assert drawn == pytest.approx(part[measures].to_numpy().ravel())
        ends = [path.vertices[:, 1] for lines in axes.collections for path in lines.get_paths()]
        assert ends[0] == pytest.approx(
            [part["recall_1_low"].iloc[0], part["recall_1_high"].iloc[0]]
        )


def test_without_known_evidence_it_says_so():
    tables = figure_tables.make(1, 1, 2, 2, 2)
    tables["retrieval"] = tables["retrieval"].assign(n=0)
    figure = draw("retrieval_quality", tables)
    assert "evidence is known" in figure.texts[0].get_text()
    assert figure_text.problems(figure) == []
