"""Score against k."""

import figure_tables
from figure_drawing import draw
from quantrag.presentation.figures import k_sweep


def test_k_zero_begins_every_retrievers_line(demo):
    figure = draw("k_sweep", demo)
    panels = figure.axes[:2]
    starts = [[line.get_xydata()[0].tolist() for line in axes.lines] for axes in panels]
    assert starts[0] == starts[1]
    assert all(x == 0 for x, _ in starts[0])
    assert all(len(line.get_xdata()) == 4 for axes in panels for line in axes.lines)


def test_the_noise_floor_is_never_a_line(demo):
    figure = draw("k_sweep", demo)
    assert {len(axes.lines) for axes in figure.axes} == {2}
    assert "noise floor" not in [t.get_text() for t in figure.legends[0].get_texts()]
    figure = draw("quantization_gap", demo)
    assert "noise floor" in [t.get_text() for t in figure.legends[0].get_texts()]


def test_a_figure_of_many_lines_has_whiskers_instead_of_bands():
    few = draw("k_sweep", figure_tables.make(1, 1, 3, 1, 4))
    many = draw("k_sweep", figure_tables.make(1, 1, 4, 1, 4))
    kinds = [{type(c).__name__ for c in figure.axes[0].collections} for figure in (few, many)]
    assert kinds == [{"FillBetweenPolyCollection"}, {"LineCollection"}]


def test_draw_reads_the_main_metric_only(demo):
    figure = k_sweep.draw(demo["scores"], demo["comparisons"], 0.95)
    texts = " ".join(text.get_text() for text in figure.texts)
    assert "MAE (rating points), lower is better" in texts
    assert "ROUGE-L, higher is better" in texts
    assert "RMSE" not in texts
