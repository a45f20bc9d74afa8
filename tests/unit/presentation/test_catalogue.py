"""The catalogue against the modules, rules and captions that read it."""

import inspect
import subprocess
import sys
from importlib import import_module
from types import SimpleNamespace

import pytest
from docutils.core import publish_parts
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined

import figure_tables
from quantrag.presentation.catalogue import (
    FIGURES,
    PUBLICATION_TABLES,
    TABLES,
    Extent,
    chart_files,
    figures_of,
    publication_tables_of,
    tables_of,
)
from quantrag.presentation.columns import COLUMNS

ENTRIES = [*FIGURES.values(), *PUBLICATION_TABLES.values()]
EXTENTS = st.builds(Extent, st.integers(1, 3), st.integers(1, 3), st.booleans())


def test_it_imports_nothing_heavy(root):
    code = (
        "import sys; from quantrag.presentation import catalogue; "
        "print({'pandas', 'numpy', 'matplotlib', 'altair', 'yaml'} & set(sys.modules))"
    )
    environment = {"PYTHONPATH": str(root / "workflow" / "scripts")}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "set()"


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_from_its_tables(name):
    draw = import_module(f"quantrag.presentation.figures.{name}").draw
    assert tuple(inspect.signature(draw).parameters) == (*FIGURES[name].tables, "confidence")


def test_every_module_is_in_the_catalogue_and_every_entry_has_its_modules(root):
    presentation = root / "workflow" / "scripts" / "quantrag" / "presentation"
    charts = {path.stem for path in (presentation / "report" / "charts").glob("[!_]*.py")}
    assert charts == {name for name, figure in FIGURES.items() if figure.interactive}
    tables = {path.stem for path in (presentation / "publication").glob("*_table.py")}
    assert tables == {f"{name}_table" for name in PUBLICATION_TABLES}
    files = [entry.source_file for entry in ENTRIES]
    files += chart_files()
    assert [file for file in files if not (root / "workflow" / "scripts" / file).is_file()] == []


def test_every_shown_column_has_a_label_and_exists():
    made = figure_tables.make()
    for name, entry in TABLES.items():
        assert set(entry.shown) <= COLUMNS.keys()
        assert set(entry.required) <= set(made[name].columns)
        derived = {"weight_gib"}
        assert set(entry.shown) - derived <= set(made[name].columns)
        assert all(COLUMNS[column].label for column in entry.shown)


@given(EXTENTS)
def test_what_an_experiment_has_is_made_from_tables_that_it_has(extent):
    tables = set(tables_of(extent))
    shown = [FIGURES[name] for name in figures_of(extent)]
    shown += [PUBLICATION_TABLES[name] for name in publication_tables_of(extent)]
    assert all(tables.issuperset(entry.tables) for entry in shown)


def test_what_a_small_and_a_large_experiment_have():
    small = Extent(1, 1, quantizes=False)
    large = Extent(2, 2, quantizes=True, corpora=True, without=True, likelihoods=True)
    of_several = {"quantization_gap", "forest", "flips", "retrievers_compared", "layer_errors"}
    of_several |= {"evidence", "retrieval_quality"}
    assert of_several.isdisjoint(figures_of(small))
    assert {"k_sweep", "quality_cost"} <= set(figures_of(small))
    assert {"change", "retrievers"}.isdisjoint(publication_tables_of(small))
    assert set(tables_of(small)) == set(TABLES) - {
        *("retrievers", "retrieval", "evidence", "comparisons_without", "pooled_without")
    }
    assert figures_of(large) == list(FIGURES)
    assert publication_tables_of(large) == list(PUBLICATION_TABLES)
    assert tables_of(large) == list(TABLES)


def test_captions_of_the_report_name_baseline_and_noise_floor_where_they_are():
    said = {"confidence": 0.9, "baseline": "FP16", "devices": "vllm on H200", "ks": ["0", "3"]}
    for name, figure in FIGURES.items():
        with_noise = figure.report_caption(noise_floor=True, **said)
        without = figure.report_caption(noise_floor=False, **said)
        assert not set("{}") & set(with_noise)
        assert ("noise floor" in with_noise) == (name in ("quantization_gap", "flips"))
        assert "noise floor" not in without
    assert "FP16" in FIGURES["flips"].report_caption(noise_floor=False, **said)
    cost = FIGURES["quality_cost"].report_caption(noise_floor=False, **said)
    assert cost.endswith("Measured with vllm on H200.")


def test_windows_are_explained_where_there_are_any():
    entry = FIGURES["k_sweep"]
    assert "stands for" not in entry.printed_caption(0.95, ["0", "1", "5"])
    caption = entry.printed_caption(0.95, ["0", "1", "max_16K", "max_8K"])
    assert "8K stands for as many whole documents as fit in 8 times 1,024 tokens." in caption


def caption_in_workflow_report(root, template, **job):
    source = (root / "workflow" / "report" / template).read_text()
    text = Environment(undefined=StrictUndefined).from_string(source)
    text = text.render(snakemake=SimpleNamespace(**job))
    return publish_parts(text, writer="html", settings_overrides={"halt_level": 2})["body"]


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_a_caption_in_the_workflows_report(root, name):
    caption = FIGURES[name].printed_caption(0.9, ["0", "3", "max_4K"])
    assert not set("{}") & set(caption)
    body = caption_in_workflow_report(root, "figure.rst", params=SimpleNamespace(caption=caption))
    assert len(caption) > 20
    assert len(body) > len(caption)
    if name in ("k_sweep", "quantization_gap", "forest", "retrievers_compared"):
        assert "90%" in body


@pytest.mark.parametrize("name", PUBLICATION_TABLES)
def test_every_publication_table_has_a_caption_in_the_workflows_report(root, name):
    params = SimpleNamespace(caption=PUBLICATION_TABLES[name].caption)
    output = SimpleNamespace(latex="t.tex", markdown="t.md")
    body = caption_in_workflow_report(root, "publication.rst", params=params, output=output)
    assert len(body) > 60
    assert "t.tex" in body
