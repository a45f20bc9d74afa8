"""LaTeX, Markdown and HTML."""

import re
import shutil
import subprocess

import pytest

import figure_tables
from publication_samples import CRITERIA, PAPER
from quantrag.presentation.catalogue import PUBLICATION_TABLES
from quantrag.presentation.publication import make_tables
from quantrag.presentation.publication.typesetting import (
    Entry,
    PublicationTable,
    RowGroup,
    escape_latex,
    escape_markdown,
    to_html,
    to_latex,
    to_markdown,
)

NASTY = r"a_b&c%d$e#f{g}h~i^j\k<l>|m*n`o`[p](q)"
LATEX = shutil.which("pdflatex") or shutil.which("tectonic")


def nasty_tables():
    rows = [
        [Entry(NASTY, True), Entry("−1.5", mark="-")],
        [Entry("<script>x</script>"), Entry("1")],
    ]
    return [PublicationTable("t", NASTY, [NASTY, "k"], 1, [RowGroup(NASTY, rows)], spanner=NASTY)]


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
    rows = [[Entry("m"), Entry("a"), Entry("1")], [Entry("m"), Entry("b"), Entry("2")]]
    text = to_markdown(
        [PublicationTable("t", "c", ["Model", "Precision", "x"], 2, [RowGroup("", rows)])]
    )
    assert "| m | a | 1 |\n|  | b | 2 |" in text


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


@pytest.mark.skipif(LATEX is None, reason="neither pdflatex nor tectonic is installed")
@pytest.mark.parametrize("size", [(2, 1, 2, 2, 4), PAPER], ids=str)
def test_the_tables_compile_and_fit_the_page(size, tmp_path):
    tables = figure_tables.make(*size)
    made = [make_tables(name, tables, CRITERIA) for name in PUBLICATION_TABLES]
    (tmp_path / "t.tex").write_text(document([*made, nasty_tables()]), encoding="utf-8")
    options = ["-interaction=nonstopmode", "-halt-on-error"] if "pdflatex" in LATEX else []
    run = subprocess.run([LATEX, *options, "t.tex"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-2000:]
    assert "Overfull \\hbox" not in run.stdout
