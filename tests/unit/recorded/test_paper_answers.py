"""Made-up files in the form of the paper's answers."""

import json
import pickle
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from quantrag.config.loading import load_config
from quantrag.errors import UserError
from quantrag.recorded.paper_answers import (
    ANSWERS,
    PAST_END,
    UNREADABLE,
    check_queries,
    kept_queries,
    read,
)
from quantrag.recorded.paper_files import url_of


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


def logged(tmp_path, *texts):
    path = tmp_path / "log.json"
    log = [
        {"id": str(n), "prompt": [{"role": "user", "content": f"Review:\n{text}\nScore:"}]}
        for n, text in enumerate(texts)
    ]
    path.write_text(json.dumps(log), encoding="utf-8")
    return path


def test_the_queries_are_those_of_the_log(tmp_path):
    inputs = ["Score this: a tale\n  of: two ", "Score this: bad"]
    questions = [{"id": str(n), "input": text} for n, text in enumerate(inputs)]
    check_queries(questions, logged(tmp_path, "a tale\nof: two", "bad"))
    with pytest.raises(UserError, match=r"log.json: 1 of LaMP-3's dev queries .* such as '1'\."):
        check_queries(questions, logged(tmp_path, "a tale\nof: two", "good"))
    with pytest.raises(UserError, match="2 of LaMP-3's dev queries"):
        check_queries(questions[:1], logged(tmp_path, "a tale\nof: two", "bad", "new"))


@pytest.mark.parametrize("log", [[1], [{"id": "0", "prompt": []}], [{"id": "0"}]])
def test_another_log_is_refused(tmp_path, log):
    path = tmp_path / "log.json"
    path.write_text(json.dumps(log), encoding="utf-8")
    with pytest.raises(UserError, match=r"log\.json, entry 0: not a prompt of LaMP-3"):
        check_queries([], path)


def shipped(root, *names):
    """Files of the configuration, the later ones merged into the first as Snakemake does it."""
    raw = {}
    for name in names:
        update_config(raw, yaml.safe_load((root / "config" / name).read_text(encoding="utf-8")))
    return raw


def test_the_shipped_configuration_has_all_372_cells(root):
    experiment = load_config(shipped(root, "paper-answers.yaml"))
    files = [file for _, own in experiment.systems() for file in own]
    noise_floor = [s for s, _ in experiment.systems() if s["precision"] == "noise-floor"]
    assert len(files) == len(set(files)) == 372 + len(noise_floor)
    assert {(s["task"], s["k"]) for s in noise_floor} == {("LaMP-5U", "0")}
    # With the same precision everywhere: 186 pairs.
    assert [s["precision"] for s, _ in experiment.systems()].count("int4-awq") == 186
    golds = load_config(shipped(root, "paper-answers.yaml", "paper-answers-golds.yaml"))
    assert golds.tasks["LaMP-3U"].kind == "lamp"


def test_the_shipped_orders_have_three_of_each_prompt(root):
    names = ("paper-answers.yaml", "paper-answers-orders.yaml", "paper-answers-golds.yaml")
    experiment = load_config(shipped(root, *names))
    assert experiment.recorded.without == "past the end"
    systems = experiment.systems()
    # 2 tasks, 6 models at FP16 and INT4, 3 retrievers, k = 3, 5 and max_4K, 5 models at max_8K.
    cells = 2 * 2 * 3 * (6 * 3 + 5)
    assert [s["precision"] for s, _ in systems].count("as-retrieved") == cells
    urls = [url_of(file.split("paper-answers/")[1]) for _, (file,) in systems]
    assert len(set(urls)) == len(urls) == 3 * cells
    assert (
        sum("_reverse/" in url for url in urls) == sum("_shuffle/" in url for url in urls) == cells
    )
