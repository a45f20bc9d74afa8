import ast
import inspect
import itertools
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from docutils.core import publish_parts
from jinja2 import Environment
from matplotlib.colors import to_rgb

import figure_tables
import figure_text
from quantrag.errors import UserError
from quantrag.presentation import data, labels
from quantrag.presentation.figures import catalogue, k_sweep, quality_cost, quantization_gap, style
from quantrag.tables import write_csv

ROOT = Path(__file__).parents[3]
DRAW = catalogue._DRAW
DEMO, PAPER = (2, 1, 2, 2, 4), (2, 6, 2, 3, 6)
# tasks, models, precisions, retrievers, ks
SIZES = [DEMO, (1, 1, 2, 1, 1), (1, 8, 2, 1, 8), (1, 1, 6, 4, 8), (1, 8, 6, 4, 8)]
# All 32 corners take many minutes: QUANTRAG_ALL_CORNERS=1 draws them, otherwise the largest.
ALL_CORNERS = list(itertools.product((1, 2), (1, 8), (2, 6), (1, 4), (1, 8)))
CORNERS = [PAPER, *(ALL_CORNERS if os.environ.get("QUANTRAG_ALL_CORNERS") else ALL_CORNERS[-1:])]


def draw(name, tables):
    needed = [p for p in inspect.signature(DRAW[name]).parameters if p != "confidence"]
    return catalogue.draw(name, {key: tables[key] for key in needed}, confidence=0.95)


def drawable(name, size):
    return name != "retrievers" or size[3] > 1


@pytest.fixture(autouse=True)
def _style():
    with style.context():
        yield


@pytest.fixture(scope="module")
def demo():
    return figure_tables.make(*DEMO)


def check(name, size, **options):
    if drawable(name, size):
        assert figure_text.problems(draw(name, figure_tables.make(*size, **options))) == []


@pytest.mark.parametrize("name", catalogue.FIGURES)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_no_text_is_cut_or_meets_another(name, size):
    check(name, size)


@pytest.mark.slow
@pytest.mark.parametrize("name", catalogue.FIGURES)
@pytest.mark.parametrize("size", CORNERS, ids=str)
def test_no_text_is_cut_or_meets_another_at_any_corner(name, size):
    check(name, size, noise=False, energy=False, seed=1)


def test_errors_from_8_bits_to_2_are_told_apart():
    table = figure_tables.make(1, 1, 3, 1, 1)["checkpoints"]
    eight = table["precision"] == "int4-awq"
    table.loc[eight, ["weight_error", "output_error"]] /= 50
    figure = catalogue.draw("checkpoints", {"checkpoints": table}, confidence=0.95)
    assert figure_text.problems(figure) == []
    assert {axes.get_yscale() for axes in figure.axes if axes.lines} == {"log"}


def test_the_check_of_texts_sees_cut_small_and_meeting_texts(demo):
    figure = draw("k_sweep", demo)
    figure.text(0.99, 0.5, "too far right")
    figure.text(0.5, 0.001, "tiny", fontsize=4)
    figure.axes[0].set_title("a title where the panel's own one is")
    figure.text(0.5, 0.5, "one")
    figure.text(0.5, 0.5, "two")
    figure.axes[0].set_ylim(0, 0.1)
    found = "\n".join(figure_text.problems(figure))
    for word in ("cut: 'too far", "too small: 'tiny", "meet: 'one' and 'two'", "leaves its panel"):
        assert word in found


@pytest.mark.parametrize("name", catalogue.FIGURES)
def test_same_tables_give_the_same_bytes(name, demo, tmp_path):
    for suffix in ("svg", "pdf", "png") if name == "k_sweep" else ("svg",):
        for run in "ab":
            style.save(draw(name, demo), tmp_path / f"{run}.{suffix}")
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()
    assert b"<dc:date>" not in (tmp_path / "a.svg").read_bytes()


def test_another_process_and_another_matplotlibrc_give_the_same_bytes(demo, tmp_path):
    write_csv(demo["comparisons"], tmp_path / "comparisons.csv")
    tables = data.read_tables({"comparisons": tmp_path / "comparisons.csv"})
    style.save(draw("flips", tables), tmp_path / "here.svg")
    (tmp_path / "matplotlibrc").write_text("font.size: 20\naxes.facecolor: red\n")
    code = (
        "from quantrag.presentation import data\n"
        "from quantrag.presentation.figures import catalogue, style\n"
        "with style.context():\n"
        "    tables = data.read_tables({'comparisons': 'comparisons.csv'})\n"
        "    style.save(catalogue.draw('flips', tables, 0.95), 'there.svg')\n"
    )
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "7",
        "PYTHONPATH": str(ROOT / "workflow" / "scripts"),
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


def test_holes_in_the_tables_leave_gaps(demo):
    tables = {name: table.copy() for name, table in demo.items()}
    missing = (tables["scores"]["precision"] == "int4-awq") & (tables["scores"]["k"] == "2")
    tables["scores"] = tables["scores"][~missing]
    tables["comparisons"] = tables["comparisons"][tables["comparisons"]["k"] != "2"]
    tables["scores"].loc[tables["scores"].index[:3], ["value", "ci_low", "ci_high"]] = np.nan
    tables["comparisons"].loc[tables["comparisons"].index[:5], "margin"] = np.nan
    tables["costs"].loc[0, "output_tokens_per_s"] = np.nan
    for name in catalogue.FIGURES:
        assert figure_text.problems(draw(name, tables)) == []


def test_only_the_baseline(demo):
    tables = dict(demo)
    tables["comparisons"] = demo["comparisons"].iloc[:0]
    tables["scores"] = demo["scores"][demo["scores"]["precision"] == "fp16"]
    tables["costs"] = demo["costs"][demo["costs"]["precision"] == "fp16"]
    for name in ("k_sweep", "quality_cost", "retrievers"):
        assert figure_text.problems(draw(name, tables)) == []


def test_only_k_zero():
    tables = figure_tables.make(2, 2, 2, 1, 1)
    for name in ("k_sweep", "quantization_gap", "forest", "flips", "quality_cost"):
        figure = draw(name, tables)
        assert figure_text.problems(figure) == []
    assert "no retrieval" in " ".join(t.get_text() for t in draw("k_sweep", tables).texts)


def test_names_are_text_and_long_ones_are_shortened(demo):
    name = "a$b_{c}$-<x>&" + "m" * 60
    for figure in catalogue.FIGURES:
        tables = {
            key: table.replace(
                {"Llama-2-7b-chat": name, "contriever": "r" * 60, "int4-awq": "p" * 60}
            )
            for key, table in demo.items()
        }
        assert figure_text.problems(draw(figure, tables)) == []


def test_costs_without_energy_have_no_energy_panel():
    figure = draw("quality_cost", figure_tables.make(*DEMO, energy=False))
    assert len(figure.axes) == 4
    assert len(draw("quality_cost", figure_tables.make(*DEMO)).axes) == 6


def test_the_pareto_front_has_the_points_that_none_beats():
    points = pd.DataFrame({"cost": [1.0, 2, 3, 4, 4], "value": [0.2, 0.5, 0.4, 0.6, 0.1]})
    front = quality_cost.pareto_front(points, "cost", False, True)
    assert front["cost"].tolist() == [1, 2, 4]
    assert front["value"].tolist() == [0.2, 0.5, 0.6]
    # The same the other way round: much of the cost is good, a high value is bad.
    front = quality_cost.pareto_front(points, "cost", True, False)
    assert front[["cost", "value"]].to_numpy().tolist() == [[4, 0.1]]


def testmean_scores_take_the_cells_that_all_precisions_have():
    scores = pd.DataFrame(
        [("t", "m", p, "bm25", k, v) for p, k, v in
         [("a", "1", 1.0), ("a", "3", 9.0), ("b", "1", 2.0)]],
        columns=["task", "model", "precision", "retriever", "k", "value"],
    )  # fmt: skip
    means = quality_cost.mean_scores(scores, data.grid(scores, baseline="a"))
    assert means["value"].tolist() == [1.0, 2.0]


def test_orders_and_baseline():
    tables = figure_tables.make(1, 2, 3, 2, 8)
    shuffled = tables["scores"].sample(frac=1, random_state=0)
    names = data.grid(shuffled, tables["comparisons"])
    assert names.baseline == "fp16"
    assert names.ks == list(figure_tables.KS)
    assert "noise-floor" not in names.precisions
    assert "none" not in names.retrievers


def test_two_rows_for_one_k_are_refused(demo):
    rows = pd.concat([demo["scores"]] * 2)
    with pytest.raises(ValueError, match="several rows"):
        data.along_k(rows, "bm25", ["0", "1"], task="LaMP-3U")


@pytest.mark.parametrize(
    ("text", "printed"),
    [("fp16", "FP16"), ("int4-gptq", "INT4 GPTQ"), ("fp8-w8a8", "FP8 W8A8"), ("nf4", "NF4"),
     ("bm25-okapi", "BM25 (Okapi)"), ("none", "no retrieval"), ("my-model_7b", "my-model_7b")],
)  # fmt: skip
def test_names_in_print(text, printed):
    assert labels.name(text) == printed


def test_long_names_lose_their_middle():
    assert labels.shorten("abcdefghij", 5) == "ab…ij"
    assert len(labels.shorten("x" * 99, 10)) == 10


def test_reading_keeps_names_as_text(tmp_path):
    rows = figure_tables.make(1, 1, 2, 1, 4)["scores"].head(4)
    rows = rows.assign(model=["None", "nan", "NA", "1"])
    write_csv(rows, tmp_path / "scores.csv")
    back = data.read_tables({"scores": tmp_path / "scores.csv"})["scores"]
    assert back["model"].tolist() == ["None", "nan", "NA", "1"]
    assert back["k"].tolist() == rows["k"].tolist()
    assert back["value"].dtype == float


def test_every_table_reads_back_as_it_was_written(demo, tmp_path):
    paths = {name: tmp_path / f"{name}.csv" for name in demo}
    for name, path in paths.items():
        write_csv(demo[name], path)
    for name, table in data.read_tables(paths).items():
        pd.testing.assert_frame_equal(table, demo[name], check_dtype=False, check_exact=False)
    write_csv(demo["costs"].assign(energy_wh=np.nan), paths["costs"])
    assert data.read_tables({"costs": paths["costs"]})["costs"]["energy_wh"].dtype == float


def test_reading_names_what_is_wrong(tmp_path):
    path = tmp_path / "scores.csv"
    with pytest.raises(UserError, match="no such file"):
        data.read_csv(path)
    path.write_text("")
    with pytest.raises(UserError, match="empty"):
        data.read_csv(path)
    path.write_text("task,model\n")
    with pytest.raises(UserError, match="no column value; it has task, model"):
        data.read_csv(path, ["task", "value"])


def rules_list(name):
    source = (ROOT / "workflow" / "rules" / "common" / "products.smk").read_text()
    start = source.index(f"\n{name} = ") + len(f"\n{name} = ")
    return ast.literal_eval(source[start : source.index("\n}\n", start) + 2])


def test_the_rule_knows_every_figure_and_its_tables():
    listed = rules_list("FIGURES")
    assert tuple(listed) == catalogue.FIGURES
    for name, (_, tables) in listed.items():
        needed = [p for p in inspect.signature(DRAW[name]).parameters if p != "confidence"]
        assert tables == needed


@pytest.mark.parametrize("name", catalogue.FIGURES)
def test_every_figure_has_a_caption(name):
    job = SimpleNamespace(
        wildcards=SimpleNamespace(figure=name), params=SimpleNamespace(confidence=0.9)
    )
    source = (ROOT / "workflow" / "report" / "figure.rst").read_text()
    text = Environment().from_string(source).render(snakemake=job)
    body = publish_parts(text, writer="html", settings_overrides={"halt_level": 2})["body"]
    assert len(body) > 100
    if name in ("k_sweep", "quantization_gap", "forest"):
        assert "90%" in body


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
