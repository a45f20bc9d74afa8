"""The report's page: what is embedded, what is escaped."""

import re

import pandas as pd

import figure_tables
import report_experiment
from quantrag.presentation.report import page
from report_page import data_of


def test_nothing_is_loaded_from_elsewhere(html, seen):
    assert seen.elsewhere == []
    assert "default-src 'none'" in html
    assert "@import" not in html
    assert len(html) < 2_000_000


def test_data_cannot_become_markup(html, seen):
    """The answers and prompts of the experiment hold `</script>` and an image that fails."""
    kinds = [(kind, name) for kind, name, _ in seen.scripts]
    assert kinds == [
        ("application/json", "figures-data"),
        *[("application/json", "explorer-data")] * 2,
        ("application/json", "explorer-grid"),
        (None, None),
        (None, None),
    ]
    assert "<img src=x" not in html
    [first, _] = data_of(seen, "explorer-data")
    assert any(report_experiment.EVIL in text for text in first["pieces"])


def test_the_table_of_checkpoints_leaves_layers_to_the_figure():
    table = figure_tables.make(1, 1, 2, 1, 2)["checkpoints"]
    shown = page._table("checkpoints", table)
    assert len(shown["rows"]) == 2
    assert [row[0]["text"] for row in shown["rows"]] == ["Llama-2-7b-chat"] * 2
    labels = [column["label"] for column in shown["columns"]]
    assert shown["rows"][0][labels.index("all weights (GiB)")]["text"] == "13.039"
    assert shown["rows"][0][labels.index("relative error of the weights")]["text"] == "–"
    head = table.iloc[[1]].assign(layer=float("nan"), module="lm_head")
    assert len(page._table("checkpoints", pd.concat([table, head]))["rows"]) == 2


def test_the_runtime_cannot_end_its_script():
    code = page._runtime()
    assert "vegaEmbed" in code
    assert not re.search("</script", code, re.IGNORECASE)


def test_the_rule_lists_every_asset(root):
    rule = (root / "workflow" / "rules" / "common.smk").read_text()
    listed = re.search(r"asset=\[(.*?)\]", rule, re.DOTALL)[1]
    assert tuple(re.findall('"([^"]+)"', listed)) == page.ASSETS
    assert sorted(page.ASSETS) == sorted(path.name for path in page.FOLDER.iterdir())
