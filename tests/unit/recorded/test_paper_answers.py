"""Made-up files in the form of the paper's answers."""

import json
import pickle
from pathlib import Path

import pytest
import yaml

from quantrag.config.loading import load_config
from quantrag.errors import UserError
from quantrag.recorded.paper_answers import ANSWERS, PAST_END, UNREADABLE, kept_queries, read


def written(folder, answers, dataset="D3"):
    path = folder / dataset / "dev" / "K0" / "M.pkl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(answers if isinstance(answers, bytes) else pickle.dumps(answers))
    return path


def padded(*answers):
    return [*answers, *["5"] * (ANSWERS - len(answers))]


def test_answers_are_read_as_the_papers_code_reads_them(tmp_path):
    texts = padded("4 stars", "The score is 4.", "none", "3</s><|im_start|>user")
    records = read(written(tmp_path, texts), {})
    assert [r.text for r in records[:4]] == texts[:4]
    assert records[0].key == records[1].key != records[2].key
    assert [r.scores[UNREADABLE] for r in records[:4]] == [0.0, 0.0, 1.0, 0.0]
    assert [r.scores[PAST_END] for r in records[:4]] == [0.0, 0.0, 0.0, 1.0]
    assert [r.item for r in records] == [str(n) for n in range(ANSWERS)]


def test_ids_come_from_a_file(tmp_path):
    path = written(tmp_path, padded("A title"), "D5")
    ids = tmp_path / "queries.json"
    ids.write_text(json.dumps({"D5": [f"q{n}" for n in range(ANSWERS)]}), encoding="utf-8")
    assert read(path, {"items": str(ids)})[0].item == "q0"
    ids.write_text(json.dumps({"D5": ["q0"]}), encoding="utf-8")
    with pytest.raises(UserError, match=r"1 queries of D5, not 2,487"):
        read(path, {"items": str(ids)})


class Runs:
    """Would print, if it were unpickled."""

    def __reduce__(self):
        return print, ("unpickled",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([Runs()], "not a pickle of a list of texts .it asks for builtins.print"),
        ([Path("x")], "it asks for pathlib"),
        (b"<html>", "not a pickle of a list of texts"),
        (b"", "not a pickle of a list of texts"),
        ({"a": 1}, "not a list of texts"),
        ([1, 2], "not a list of texts"),
        (["5"], "1 answers. The paper's files have 2,487"),
    ],
)
def test_anything_but_2487_texts_is_refused(tmp_path, content, message, capsys):
    with pytest.raises(UserError, match=message):
        read(written(tmp_path, content), {})
    assert capsys.readouterr().out == ""


def test_a_missing_file_and_another_folder_are_named(tmp_path):
    with pytest.raises(UserError, match=r"K0\.pkl: No such file"):
        read(tmp_path / "D3" / "K0.pkl", {})
    with pytest.raises(UserError, match="not in a folder D3 or D5"):
        read(written(tmp_path, padded(), "D4"), {})


def test_the_longest_queries_are_dropped_in_the_order_of_the_numbers():
    # Of 400, the longest 0.5% are two; single spaces count, as in the paper's code.
    questions = [{"id": str(n), "input": "Say: " + "w " * (n % 7) + "w"} for n in range(400)]
    questions[13]["input"] = "Say: " + "w " * 50 + "w"
    questions[200]["input"] = "Say: w" + " " * 60 + "w"
    kept = kept_queries(questions[::-1])
    assert kept == [str(n) for n in range(400) if n not in (13, 200)]


def test_the_shipped_configuration_has_all_372_cells(root):
    raw = yaml.safe_load((root / "config" / "paper-answers.yaml").read_text(encoding="utf-8"))
    experiment = load_config(raw)
    files = [file for _, own in experiment.systems() for file in own]
    assert len(files) == len(set(files)) == 372
    # With the same precision everywhere: 186 pairs.
    assert [s["precision"] for s, _ in experiment.systems()].count("int4-awq") == 186
    golds = yaml.safe_load((root / "config" / "paper-answers-golds.yaml").read_text("utf-8"))
    raw["tasks"] = golds["tasks"]
    raw["recorded"] |= golds["recorded"]
    assert load_config(raw | {"scoring": golds["scoring"]}).tasks["LaMP-3U"].kind == "lamp"
