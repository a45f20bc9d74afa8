"""From the files of an experiment to its page."""

import html
import json
import re

import report_experiment
from quantrag.presentation.report.assemble import make_report, summary_text
from quantrag.tables import read_table, write_table


def test_what_was_left_out_of_a_task_is_said(tmp_path):
    files, config = report_experiment.make(tmp_path)
    assert "left out" not in make_report(files, config)
    path = files.queries["LaMP-5U"]
    records = {"empty_profiles": 3, "dropped": {"questions": [2, 2500]}}
    write_table(read_table(path), path, {"records": json.dumps(records)})
    page = make_report(files, config)
    assert "LaMP-5U: the profiles of 3 queries are empty" in page
    assert "LaMP-5U: 2 of 2,500 questions were unusable and left out." in page


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
