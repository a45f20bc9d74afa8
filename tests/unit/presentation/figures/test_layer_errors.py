"""Quantization error by layer."""

import figure_tables
import figure_text
from figure_drawing import draw


def test_errors_from_8_bits_to_2_are_told_apart():
    table = figure_tables.make(1, 1, 3, 1, 1)["checkpoints"]
    eight = table["precision"] == "int4-awq"
    table.loc[eight, ["weight_error", "output_error"]] /= 50
    figure = draw("layer_errors", {"checkpoints": table})
    assert figure_text.problems(figure) == []
    assert {axes.get_yscale() for axes in figure.axes if axes.lines} == {"log"}
