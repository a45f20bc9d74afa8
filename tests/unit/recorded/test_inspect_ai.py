"""Logs of inspect_ai 0.3.285, an excerpt of one that it wrote (zstd inside)."""

import json
import zipfile
from pathlib import Path

import pytest

from quantrag.errors import UserError
from quantrag.recorded import inspect_ai

LOG = Path(__file__).parent / "files" / "inspect" / "kinds.eval"


def sample(**changes):
    made = {
        "id": 1,
        "epoch": 1,
        "input": "What is 1 + 1?",
        "target": "2",
        "output": {"choices": [{"message": {"content": "2"}}]},
        "scores": {"match": {"value": "C"}},
    }
    return made | changes


def written(tmp_path, *samples, kind="json"):
    header = {"version": 2, "status": "success", "eval": {"task": "sums", "model": "m"}}
    path = tmp_path / f"log.{kind}"
    if kind == "json":
        path.write_text(json.dumps(header | {"samples": list(samples)}), encoding="utf-8")
        return path
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps(header))
        for one in samples:
            archive.writestr(f"samples/{one['id']}_epoch_{one['epoch']}.json", json.dumps(one))
    return path


def test_a_real_log():
    assert inspect_ai.read_header(LOG)["eval"]["task"] == "kinds"
    records = inspect_ai.read(LOG, {})
    assert len(records) == 14
    assert {r.repetition for r in records} == {"1", "2"}
    first = next(r for r in records if r.item == "kind-0" and r.repetition == "1")
    assert first.input == "A robin is a kind of tree / bird / fish / insect? One word."
    assert first.text.startswith("A robin is a kind of")
    assert first.golds == ("bird",)
    assert first.scores == {"includes↑": 1.0, "match↑": 0.0}
    assert all(r.scores.keys() == first.scores.keys() for r in records)


@pytest.mark.parametrize("kind", ["json", "eval"])
def test_both_kinds_of_log(tmp_path, kind):
    [record] = inspect_ai.read(written(tmp_path, sample(), kind=kind), {})
    assert (record.item, record.text, record.golds) == ("1", "2", ("2",))
    assert record.scores == {"match↑": 1.0}


@pytest.mark.parametrize(
    ("value", "scores"),
    [
        ("I", {"s↑": 0.0}),
        ("P", {"s↑": 0.5}),
        ("N", {"s↑": 0.0}),
        (True, {"s↑": 1.0}),
        (0.25, {"s↑": 0.25}),
        ({"a": 1, "error": "C", "b": None}, {"s/a↑": 1.0, "s/error↓": 1.0}),
        ("a letter", {}),
        ([1, 2], {}),
    ],
)
def test_values_of_scores(tmp_path, value, scores):
    path = written(tmp_path, sample(scores={"s": {"value": value}}))
    assert inspect_ai.read(path, {})[0].scores == scores


def test_conversations_parts_choices_and_attachments(tmp_path):
    asked = [{"role": "user", "content": [{"type": "text", "text": "attachment://7"}], "id": "x"}]
    first = sample(input=asked, choices=["a", "b"], output={"completion": "attachment://9"})
    path = written(tmp_path, first | {"attachments": {"9": "a long answer"}})
    [record] = inspect_ai.read(path, {})
    assert record.input == "user: attachment://7\na\nb"
    assert record.text == "a long answer"


def test_a_failed_sample_has_no_scores(tmp_path):
    path = written(tmp_path, sample(scores=None, output=None, error={"message": "no"}))
    [record] = inspect_ai.read(path, {})
    assert (record.text, record.scores) == ("", {})


def test_what_is_no_log_is_refused(tmp_path):
    (tmp_path / "a.eval").write_bytes(b"PK not")
    (tmp_path / "a.json").write_text("{}", encoding="utf-8")
    for name in ("a.eval", "a.json"):
        with pytest.raises(UserError, match=f"{name}: not a log of inspect_ai"):
            inspect_ai.read(tmp_path / name, {})
    with zipfile.ZipFile(tmp_path / "b.eval", "w") as archive:
        archive.writestr("_journal/start.json", "{}")
    with pytest.raises(UserError, match="the evaluation wasn't finished"):
        inspect_ai.read(tmp_path / "b.eval", {})
