"""The retrievers compared."""

import figure_tables
from figure_drawing import draw


def test_scores_are_the_baselines_and_pairs_have_their_agreement():
    tables = figure_tables.make(1, 1, 3, 3, 4)
    figure = draw("retrievers_compared", tables)
    scores, heat_map = figure.axes
    assert [line.get_xydata().shape for line in scores.lines] == [(4, 2)] * 3
    assert [text.get_text() for text in heat_map.get_xticklabels()] == [
        *("same first", "first five", "RBO"),
    ]
    printed = [text.get_text() for text in heat_map.texts]
    pairs = tables["retrievers"][["top1", "top5", "rbo"]].to_numpy().ravel()
    assert printed == [f"{value:.2f}" for value in pairs]
