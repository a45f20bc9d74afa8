"""The main result."""

import numpy as np

from publication_samples import CRITERIA, cells
from quantrag.presentation.criteria import Criteria
from quantrag.presentation.publication import make_tables


def test_main_result_has_a_table_for_each_task_and_metric(demo):
    tables = make_tables("main", demo, CRITERIA)
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
    table = make_tables("main", demo, CRITERIA)[0]
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
    table = make_tables("main", demo, CRITERIA)[2]
    for k in range(2, 6):
        column = [row[k] for row in table.groups[0].rows]
        assert {c.text for c in column if c.best} == {max(c.text for c in column)}


def test_k_zero_stands_in_every_group(demo):
    table = make_tables("main", demo, CRITERIA)[0]
    assert [row[2] for row in cells(table, 0)] == [row[2] for row in cells(table, 1)]


def test_captions_say_what_the_numbers_rest_on(demo):
    caption = make_tables("main", demo, Criteria(0.9, 0.05, 0.8))[0].caption
    assert "n = 2,500 answers" in caption
    assert "at most 1.0% could not be read" in caption
    assert "equivalent within 5%" in caption
    assert "adjusted p < 0.1)" in caption
    assert "8K: as many documents as fit in 8K tokens" in caption


def test_missing_values_are_dashes(demo):
    tables = {name: table.copy() for name, table in demo.items()}
    tables["scores"].loc[0, "value"] = np.nan
    table = make_tables("main", tables, CRITERIA)[0]
    assert cells(table)[0][2] == "–"
    assert not table.groups[0].rows[0][2].best
