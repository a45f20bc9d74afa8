"""The look of all figures, and that the same tables give the same bytes."""

import itertools
import os
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from figure_drawing import draw
from quantrag.presentation import data
from quantrag.presentation.catalogue import FIGURES
from quantrag.presentation.figures import style
from quantrag.tables import write_csv


@pytest.mark.parametrize("name", FIGURES)
def test_same_tables_give_the_same_bytes(name, demo, tmp_path):
    for suffix in ("svg", "pdf", "png") if name == "k_sweep" else ("svg",):
        for run in "ab":
            style.save(draw(name, demo), tmp_path / f"{run}.{suffix}")
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
    assert b"<dc:date>" not in (tmp_path / "a.svg").read_bytes()


def test_another_process_and_another_matplotlibrc_give_the_same_bytes(root, demo, tmp_path):
    write_csv(demo["comparisons"], tmp_path / "comparisons.csv")
    tables = data.read_tables({"comparisons": tmp_path / "comparisons.csv"})
    style.save(draw("flips", tables), tmp_path / "here.svg")
    (tmp_path / "matplotlibrc").write_text("font.size: 20\naxes.facecolor: red\n")
    code = (
        "from quantrag.presentation import data\n"
        "from quantrag.presentation.figures import draw_figure, style\n"
        "with style.context():\n"
        "    tables = data.read_tables({'comparisons': 'comparisons.csv'})\n"
        "    style.save(draw_figure('flips', tables, 0.95), 'there.svg')\n"
    )
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "7",
        "PYTHONPATH": str(root / "workflow" / "scripts"),
        "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"),
        "SOURCE_DATE_EPOCH": "1000",
    }
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "here.svg").read_bytes() == (tmp_path / "there.svg").read_bytes()


def test_the_style_leaves_no_trace(demo):
    before = mpl.rcParams["font.size"]
    with mpl.rc_context({"font.size": 21}):
        with style.context():
            draw("forest", demo)
        assert mpl.rcParams["font.size"] == 21
    assert mpl.rcParams["font.size"] == before


@pytest.mark.parametrize("looks", [style._PRECISIONS, style._RETRIEVERS])
def test_lines_differ_without_colour(looks):
    assert len({(look.marker, look.filled, look.dashes) for look in looks}) == len(looks)


def test_neighbouring_precisions_differ_in_lightness():
    light = [np.dot(to_rgb(look.color), (0.2126, 0.7152, 0.0722)) for look in style._PRECISIONS]
    assert all(abs(a - b) > 0.05 for a, b in itertools.pairwise(light[:6]))
