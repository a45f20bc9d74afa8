"""From the files of an experiment to its page."""

import html
import json
import re
from pathlib import Path

import pandas as pd

import report_experiment
from quantrag.presentation import labels
from quantrag.presentation.report.assemble import make_report, summary_text
from quantrag.tables import read_table, write_table
from report_page import Reader, data_of


def test_what_was_left_out_of_a_task_is_said(tmp_path):
    files, config = report_experiment.make(tmp_path)
    assert "left out" not in make_report(files, config)
    path = files.queries["LaMP-5U"]
    records = {"empty_profiles": 3, "dropped": {"questions": [2, 2500]}}
    write_table(read_table(path), path, {"records": json.dumps(records)})
    page = make_report(files, config)
    assert "LaMP-5U: the profiles of 3 queries are empty" in page
    assert "LaMP-5U: 2 of 2,500 questions were unusable and left out." in page


def test_weights_that_were_unpacked_are_named(tmp_path):
    files, config = report_experiment.make(tmp_path)
    assert "were unpacked to" not in make_report(files, config)
    path = Path(files.costs[-1])
    costs = json.loads(path.read_text())
    costs["provenance"]["engine_reports"] = [{"kernels": {}, "unpacked": True}]
    path.write_text(json.dumps(costs))
    named = f"the weights of {labels.name(path.stem)} of {path.parent.name} were unpacked to"
    assert named in make_report(files, config)


def test_the_summary_as_text_is_the_pages_first_sentences(tmp_path):
    files, config = report_experiment.make(tmp_path)
    text, page = summary_text(files.tables, config), make_report(files, config)
    assert max(map(len, text.splitlines())) <= 92
    paragraph, *tasks = text.split("\n\n")
    assert " ".join(paragraph.split()) in page
    assert len(tasks) == len(config["tasks"])
    for task in tasks:
        title, *findings = re.split(r"\n- ", task)
        assert f"<h3>{title}</h3>" in page
        assert findings
        for finding in findings:
            assert " ".join(finding.split()) in html.unescape(page)


def test_the_page_of_a_corpus_shows_passages_and_speaks_of_no_users(tmp_path):
    files, config = report_experiment.make(tmp_path, corpus=True)
    text = make_report(files, config)
    seen = Reader(text)
    [data] = data_of(seen, "explorer-data")
    queries = pd.read_parquet(files.queries["handbook"]).set_index("query_id")
    documents = pd.read_parquet(files.documents["handbook"]).set_index("document_id")
    pieces = data["pieces"]
    assert data["taken"] == len(queries)
    for query in data["queries"]:
        row = queries.loc[query["id"]]
        assert query["question"] == row["query_text"]
        assert [pieces[i] for i in query["evidence"]] == list(row["evidence"])
    assert any(query["evidence"] for query in data["queries"])
    for number, (title, passage) in data["passages"].items():
        document = documents.loc[pieces[int(number)]]
        assert pieces[title] == document["target"]
        assert document["text"].startswith(pieces[passage].removesuffix(" …"))
    words = " ".join(seen.text)
    assert "Comparisons by evidence" in words
    assert "where the evidence is" in words.lower()
    assert not re.search(r"\busers?\b|\bprofiles?\b", words)
    assert "where the evidence" not in summary_text(files.tables, config)
