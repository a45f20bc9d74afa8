"""Samples of lm-evaluation-harness 0.4.13, excerpts of files that it wrote."""

import json
import shutil
from pathlib import Path

import pytest

from quantrag.errors import UserError
from quantrag.recorded import lm_eval

FILES = Path(__file__).parent / "files" / "lm-eval"
STAMP = "2026-11-27T03-14-56.737313"
KINDS = FILES / "float32" / f"samples_kinds_{STAMP}.jsonl"
SUMS = FILES / "float32" / f"samples_sums_{STAMP}.jsonl"


def test_choices_are_the_likeliest_option():
    records = lm_eval.read(KINDS, {})
    lines = [json.loads(line) for line in KINDS.read_text(encoding="utf-8").splitlines()]
    assert [r.item for r in records] == [str(line["doc_id"]) for line in lines]
    for record, line in zip(records, lines, strict=True):
        assert record.golds == (line["doc"]["choices"][line["doc"]["label"]],)
        assert record.text in line["doc"]["choices"]
        assert (record.text == record.golds[0]) == (line["acc"] == 1)
        assert record.scores == {"acc↑": line["acc"], "acc_norm↑": line["acc_norm"]}
        assert record.hashes["document"] == line["doc_hash"]


def test_each_filter_has_scores_of_its_own():
    records = lm_eval.read(SUMS, {})
    assert [r.item for r in records] == ["0", "1", "2", "3"]
    assert records[0].scores == {
        "exact_match,strict-match↑": 0.0,
        "exact_match,flexible-extract↑": 1.0,
    }
    assert records[0].text == "1 + 9 = 10"
    assert records[0].golds == ("10",)


def test_the_results_say_which_way_a_metric_improves(tmp_path):
    shutil.copy(KINDS, tmp_path)
    directions = {"higher_is_better": {"kinds": {"acc": False, "acc_norm": True}}}
    (tmp_path / "results_x.json").write_text(json.dumps(directions), encoding="utf-8")
    [record, *_] = lm_eval.read(tmp_path / KINDS.name, {})
    assert list(record.scores) == ["acc↓", "acc_norm↑"]


def test_what_is_no_number_is_no_score(tmp_path):
    line = json.loads(KINDS.read_text(encoding="utf-8").splitlines()[0])
    line |= {"metrics": ["acc", "word_perplexity", "nan"], "nan": float("nan")}
    path = tmp_path / KINDS.name
    path.write_text(json.dumps(line | {"word_perplexity": [-3.2, 7]}), encoding="utf-8")
    assert list(lm_eval.read(path, {})[0].scores) == ["acc↑"]
    path.write_text(json.dumps(line | {"word_perplexity": 7.5}), encoding="utf-8")
    assert list(lm_eval.read(path, {})[0].scores) == ["acc↑", "word_perplexity↓"]


def test_a_document_twice_is_refused(tmp_path):
    path = tmp_path / KINDS.name
    lines = KINDS.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines, lines[2]]), encoding="utf-8")
    with pytest.raises(UserError, match=r"line 7: the document 2 stands already in .*, line 3"):
        lm_eval.read(path, {})


def test_another_file_is_refused(tmp_path):
    path = tmp_path / KINDS.name
    path.write_text('{"a": 1}', encoding="utf-8")
    with pytest.raises(UserError, match="line 1: no 'doc_id'; it has a"):
        lm_eval.read(path, {})


def test_the_task_is_in_the_name():
    assert lm_eval.task_of(KINDS) == "kinds"
    assert lm_eval.task_of(Path("results_2026.json")) is None
