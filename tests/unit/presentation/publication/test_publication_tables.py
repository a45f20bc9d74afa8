import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from jinja2 import Environment

import figure_tables
from quantrag.presentation.publication import publication_tables
from quantrag.presentation.publication.publication_tables import MOST_ROWS, TABLES, Settings
from quantrag.presentation.publication.typesetting import (
    Cell,
    Group,
    PrintTable,
    escape_latex,
    escape_markdown,
    to_html,
    to_latex,
    to_markdown,
)

ROOT = Path(__file__).parents[4]
SETTINGS = Settings(confidence=0.95, margin=0.02)
PAPER = (2, 6, 2, 3, 6)


@pytest.fixture(scope="module")
def demo():
    return figure_tables.make(2, 1, 3, 2, 4)


def cells(table, group=0):
    return [[cell.text for cell in row] for row in table.groups[group].rows]


def test_main_result_has_a_table_for_each_task_and_metric(demo):
    tables = TABLES["main"](demo, SETTINGS)
    assert [table.label for table in tables] == [
        "main-lamp-3u-mae",
        "main-lamp-3u-rmse",
        "main-lamp-5u-rouge1",
        "main-lamp-5u-rougel",
    ]
    table = tables[0]
    assert table.columns == ["Model", "Precision", "0", "1", "2", "8K"]
    assert [group.heading for group in table.groups] == ["BM25", "Contriever"]
    assert [row[1] for row in cells(table)] == ["FP16", "INT4 AWQ", "INT4 GPTQ"]


def test_main_result_shows_the_scores_the_best_and_the_verdicts(demo):
    table = TABLES["main"](demo, SETTINGS)[0]
    scores = demo["scores"]
    rows = scores[(scores["metric"] == "mae") & (scores["retriever"] == "contriever")]
    rows = rows[(rows["k"] == "1") & (rows["precision"] != "noise-floor")]
    wanted = [f"{value:.3f}" for value in rows["value"]]
    column = [row[3] for row in table.groups[1].rows]
    assert [cell.text for cell in column] == wanted
    assert [cell.best for cell in column] == [text == min(wanted) for text in wanted]
    tests = demo["comparisons"]
    tests = tests[(tests["metric"] == "mae") & (tests["retriever"] == "contriever")]
    verdicts = tests[tests["k"] == "1"]["verdict"]
    marks = {"worse": "-", "better": "+", "equivalent": "=", "inconclusive": ""}
    assert [cell.mark for cell in column] == ["", *(marks[verdict] for verdict in verdicts)]


def test_best_is_the_highest_where_higher_is_better(demo):
    table = TABLES["main"](demo, SETTINGS)[2]
    for k in range(2, 6):
        column = [row[k] for row in table.groups[0].rows]
        assert {c.text for c in column if c.best} == {max(c.text for c in column)}


def test_k_zero_stands_in_every_group(demo):
    table = TABLES["main"](demo, SETTINGS)[0]
    assert [row[2] for row in cells(table, 0)] == [row[2] for row in cells(table, 1)]


def test_relative_change_is_in_percent_of_the_baseline(demo):
    row = demo["comparisons"].iloc[0]
    table = TABLES["change"](demo, SETTINGS)[0]
    wanted = f"{100 * row['difference'] / row['baseline_value']:+.1f}".replace("-", "−")
    assert cells(table)[0][:3] == ["Llama-2-7b-chat", "INT4 AWQ", wanted]
    assert "below 0 is better" in table.caption


def test_captions_say_what_the_numbers_rest_on(demo):
    caption = TABLES["main"](demo, Settings(0.9, 0.05))[0].caption
    assert "n = 2,500 answers" in caption
    assert "at most 1.0% could not be read" in caption
    assert "equivalent within 5%" in caption
    assert "adjusted p < 0.1)" in caption
    assert "8K: as many documents as fit in 8K tokens" in caption


def test_costs_leave_out_what_nobody_measured():
    tables = figure_tables.make(1, 2, 3, 1, 2, energy=False)
    (table,) = TABLES["costs"](tables, SETTINGS)
    assert "Energy (Wh)" not in table.columns
    assert [group.heading for group in table.groups] == [
        "Llama-2-7b-chat",
        "Meta-Llama-3-8B-Instruct",
    ]
    weights = [row[1] for row in table.groups[0].rows]
    assert [cell.best for cell in weights] == [False, True, True]
    assert "vllm on NVIDIA H200" in table.caption


def test_retrievers_and_replication(demo):
    (table,) = TABLES["retrievers"](demo, SETTINGS)
    assert cells(table)[0][:2] == ["BM25", "Contriever"]
    assert cells(table)[0][-1] == "2,500"
    (table,) = TABLES["replication"](demo, SETTINGS)
    assert {row[-1] for group in range(4) for row in cells(table, group)} == {"OK", "OKish", "FAIL"}
    assert "made up, Table 1" in table.caption


def test_an_empty_replication_says_so(demo):
    tables = {"replication": demo["replication"].iloc[:0]}
    (table,) = TABLES["replication"](tables, SETTINGS)
    assert table.groups == []
    assert "No published value is on file." in table.caption
    assert "bottomrule" in to_latex([table])


def test_missing_values_are_dashes(demo):
    tables = {name: table.copy() for name, table in demo.items()}
    tables["scores"].loc[0, "value"] = np.nan
    table = TABLES["main"](tables, SETTINGS)[0]
    assert cells(table)[0][2] == "–"
    assert not table.groups[0].rows[0][2].best


def test_long_tables_are_split_without_losing_a_row():
    tables = figure_tables.make(1, 8, 6, 4, 2)
    parts = [t for t in TABLES["main"](tables, SETTINGS) if "-mae" in t.label]
    assert len(parts) == 4
    assert len({part.label for part in parts}) == 4
    assert parts[1].caption.endswith("Part 2 of 4.")
    assert all(sum(len(g.rows) for g in part.groups) <= MOST_ROWS for part in parts)
    assert sum(len(g.rows) for part in parts for g in part.groups) == 8 * 6 * 4


def test_a_group_longer_than_a_page_is_split():
    rows = [[Cell(str(i)), Cell("x")] for i in range(MOST_ROWS + 5)]
    table = PrintTable("t", "c", ["a", "b"], 1, [Group("g", rows), Group("h", rows[:3])])
    parts = publication_tables._paged(table)
    assert [[len(g.rows) for g in part.groups] for part in parts] == [[MOST_ROWS], [5, 3]]


NASTY = r"a_b&c%d$e#f{g}h~i^j\k<l>|m*n`o`[p](q)"


def nasty_tables():
    rows = [[Cell(NASTY, True), Cell("−1.5", mark="-")], [Cell("<script>x</script>"), Cell("1")]]
    return [PrintTable("t", NASTY, [NASTY, "k"], 1, [Group(NASTY, rows)], spanner=NASTY)]


def test_latex_escapes():
    assert escape_latex("50% of $x_1$ & #2") == r"50\% of \$x\_1\$ \& \#2"
    assert escape_latex("~^\\") == r"\textasciitilde{}\textasciicircum{}\textbackslash{}"
    assert r"\textbf{" in to_latex(nasty_tables())
    assert r"\rlap{$^{-}$}" in to_latex(nasty_tables())


def test_markdown_escapes():
    assert escape_markdown("a|b_c*d\ne") == r"a\|b\_c\*d e"
    text = to_markdown(nasty_tables())
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}
    assert "<script>" not in text
    assert "−1.5⁻" in text


def test_html_escapes():
    page = to_html(nasty_tables(), NASTY)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "a_b&amp;c%d" in page


def test_a_repeated_name_stands_once():
    rows = [[Cell("m"), Cell("a"), Cell("1")], [Cell("m"), Cell("b"), Cell("2")]]
    text = to_markdown([PrintTable("t", "c", ["Model", "Precision", "x"], 2, [Group("", rows)])])
    assert "| m | a | 1 |\n|  | b | 2 |" in text


@pytest.mark.parametrize("size", [(2, 1, 2, 2, 4), PAPER, (2, 8, 6, 4, 8)], ids=str)
def test_every_row_has_every_column(size):
    tables = figure_tables.make(*size)
    made = [table for make in TABLES.values() for table in make(tables, SETTINGS)]
    assert len({table.label for table in made}) == len(made)
    for table in made:
        assert all(len(row) == len(table.columns) for g in table.groups for row in g.rows)


def document(tables):
    return "\n".join(
        [
            r"\documentclass{article}",
            r"\usepackage[a4paper,margin=2cm]{geometry}",
            r"\usepackage{booktabs}",
            r"\begin{document}",
            *(to_latex(part) + r"\clearpage" for part in tables),
            r"\end{document}",
        ]
    )


LATEX = shutil.which("pdflatex") or shutil.which("tectonic")


@pytest.mark.skipif(LATEX is None, reason="neither pdflatex nor tectonic is installed")
@pytest.mark.parametrize("size", [(2, 1, 2, 2, 4), PAPER], ids=str)
def test_the_tables_compile_and_fit_the_page(size, tmp_path):
    tables = figure_tables.make(*size)
    made = [make(tables, SETTINGS) for make in TABLES.values()]
    (tmp_path / "t.tex").write_text(document([*made, nasty_tables()]), encoding="utf-8")
    options = ["-interaction=nonstopmode", "-halt-on-error"] if "pdflatex" in LATEX else []
    run = subprocess.run([LATEX, *options, "t.tex"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-2000:]
    assert "Overfull \\hbox" not in run.stdout


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_a_caption_in_the_report(name):
    job = SimpleNamespace(
        wildcards=SimpleNamespace(publication=name),
        output=SimpleNamespace(latex="t.tex", markdown="t.md"),
    )
    source = (ROOT / "workflow" / "report" / "publication.rst").read_text()
    text = Environment().from_string(source).render(snakemake=job)
    assert len(text.strip().split("\n\n")[0]) > 40
    assert "t.tex" in text


def test_the_rule_knows_every_table():
    source = (ROOT / "workflow" / "rules" / "common" / "products.smk").read_text()
    listed = source.split("\nPUBLICATIONS = {")[1].split("\n}\n")[0]
    assert re.findall(r'^    "(\w+)":', listed, flags=re.M) == list(TABLES)


def test_frames_are_left_as_they_were(demo):
    before = {name: table.copy() for name, table in demo.items()}
    for make in TABLES.values():
        make(demo, SETTINGS)
    for name, table in demo.items():
        pd.testing.assert_frame_equal(table, before[name])
