"""Difference to the baseline, and the noise floor."""

import pytest

import figure_tables
from figure_drawing import DEMO, draw
from quantrag.presentation import data
from quantrag.presentation.figures import quantization_gap


def test_without_a_second_pass_there_is_no_noise_floor():
    tables = figure_tables.make(*DEMO, noise=False)
    for name in ("quantization_gap", "flips"):
        entries = [t.get_text() for t in draw(name, tables).legends[0].get_texts()]
        assert "noise floor" not in entries


def test_noise_is_the_distance_of_the_two_passes(demo):
    scores = data.keep_main_metrics(demo["scores"])
    noise = quantization_gap.noise_floor(scores, "fp16")
    row = noise.iloc[3]
    same = scores[["task", "model", "retriever", "k"]] == row[["task", "model", "retriever", "k"]]
    values = scores[same.all(axis=1)].set_index("precision")["value"]
    assert row["noise"] == pytest.approx(abs(values["noise-floor"] - values["fp16"]))
