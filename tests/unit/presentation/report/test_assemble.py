"""From the files of an experiment to its page."""

import json

import report_experiment
from quantrag.presentation.report.assemble import make_report
from quantrag.tables import read_table, write_table


def test_what_was_left_out_of_a_task_is_said(tmp_path):
    files, config = report_experiment.make(tmp_path)
    assert "left out" not in make_report(files, config)
    path = files.queries["LaMP-5U"]
    records = {"empty_profiles": 3, "dropped": {"questions": [2, 2500]}}
    write_table(read_table(path), path, {"records": json.dumps(records)})
    html = make_report(files, config)
    assert "LaMP-5U: the profiles of 3 queries are empty" in html
    assert "LaMP-5U: 2 of 2,500 questions were unusable and left out." in html
