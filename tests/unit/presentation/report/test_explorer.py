"""The explorer's data: what is embedded, how queries are drawn."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantrag.presentation.report import explorer
from quantrag.presentation.report.assemble import make_report
from question_tasks import question_task
from report_page import Reader, data_of


def test_the_explorer_gives_prompts_and_answers_back(experiment, seen):
    files, _ = experiment
    [first, _] = data_of(seen, "explorer-data")
    [grid] = data_of(seen, "explorer-grid")
    pieces = first["pieces"]
    path = next(p for p in files.prompts if p.endswith("LaMP-3U/bm25.parquet"))
    prompts = pd.read_parquet(path).set_index(["query_id", "k"])
    path = next(p for p in files.completions if p.endswith("int4-awq/LaMP-3U/bm25/k3.parquet"))
    answers = pd.read_parquet(path).set_index("query_id")["text"]
    path = next(p for p in files.scores if p.endswith("int4-awq.parquet"))
    scores = pd.read_parquet(path)
    scores = scores[(scores["task"] == "LaMP-3U") & (scores["retriever"] == "bm25")]
    scores = scores[scores["k"] == "3"].set_index("query_id")
    cell = grid["cells"].index(["bm25", "3"])
    assert first["taken"] == first["total"] == 6
    for query in first["queries"]:
        (parts, tokens, documents, dropped, truncated), found = query["runs"][0][cell]
        row = prompts.loc[query["id"], "3"]
        assert "".join(pieces[i] for i in parts) == row["prompt"]
        assert [pieces[i] for i in documents] == list(row["document_ids"])
        assert (tokens, dropped, truncated) == (row["n_tokens"], 0, 0)
        piece, changed, valid, error, *_ = found[1]
        assert pieces[piece] == answers[query["id"]]
        own = scores.loc[query["id"]]
        assert (valid, error) == (own["valid"], own["absolute_error"])
        assert found[0][1] == 0
        assert isinstance(changed, int)


def test_what_is_shared_is_stored_once(seen):
    for task in data_of(seen, "explorer-data"):
        assert len(set(task["pieces"])) == len(task["pieces"])


def test_a_flip_is_an_answer_with_another_key(experiment, seen):
    files, _ = experiment
    [_, second] = data_of(seen, "explorer-data")
    [grid] = data_of(seen, "explorer-grid")
    base, other = (
        pd.read_parquet(next(p for p in files.scores if p.endswith(f"{name}.parquet")))
        for name in ("fp16", "int4-awq")
    )
    keys = ["task", "retriever", "k", "query_id"]
    merged = base.merge(other, on=keys, suffixes=("", "_other"))
    merged = merged[merged["task"] == "LaMP-5U"]
    flips = (merged["flip_key"] != merged["flip_key_other"]).sum()
    runs = [query["runs"][0][i] for query in second["queries"] for i in range(len(grid["cells"]))]
    assert sum(answers[1][1] for _, answers in runs) == flips


def test_a_small_budget_gives_a_stated_sample_and_names_are_escaped(experiment, monkeypatch):
    monkeypatch.setattr(explorer, "BUDGET", 8_000)
    files, config = experiment
    text = make_report(files, {**config, "experiment": "</title><img src=x>"})
    assert "</title><img" not in text
    assert "&lt;/title&gt;&lt;img src=x&gt;" in text
    tasks = data_of(Reader(text), "explorer-data")
    assert [task["total"] for task in tasks] == [6, 6]
    assert all(0 < task["taken"] < 6 for task in tasks), [task["taken"] for task in tasks]
    assert "of 6 queries are here, drawn at random (seed 0)" in text
    for task in tasks:
        used = {i for q in task["queries"] for run in q["runs"] for p, _ in run for i in p[0]}
        assert max(used) < len(task["pieces"])
        assert len(explorer.to_json(task)) < 5_500


def test_samples_are_random_repeatable_and_nested():
    ids = [str(i) for i in range(1000)]
    sample = explorer.draw_sample(ids, 3)
    assert len(set(sample)) == explorer.MOST_QUERIES
    assert sample == explorer.draw_sample(ids, 3)
    assert sample[:50] == explorer.draw_sample(ids, 3, 50)
    assert sample != explorer.draw_sample(ids, 4)
    assert sorted(sample) != sample


@pytest.mark.parametrize("budget", [explorer.BUDGET, 1])
def test_questions_on_a_corpus_have_passages_with_their_evidence_marked(budget):
    queries = pd.DataFrame(
        {
            "query_id": ["q1", "q2"],
            "cluster_id": ["q1", "q2"],
            "golds": [["yes"], ["no"]],
            "query_text": ["Is it?", "Isn't it?"],
            "evidence": [["b"], ["c"]],
            "metadata": ['{"section": "faq"}', "{}"],
        }
    )
    documents = {"a": ("A", "short"), "b": ("B", "x" * 1000), "c": ("C", "third")}
    facts = {"n_tokens": 9, "dropped": 0, "truncated": False, "prompt": "p", "k": "2"}
    prompts = queries[["query_id"]].assign(document_ids=[["a", "b"]] * 2, **facts)
    task = question_task("label", ("yes", "no"))
    measured = {metric.columns[0]: 1.0 for metric in explorer.measures_of(task)}
    answers = queries[["query_id"]].assign(text="yes", valid=True, flip_key="yes", **measured)
    cell = ("bm25", "2")
    data = explorer.task_json(
        explorer.TaskData(task, queries, "", documents),
        *(["q1", "q2"], ["m"], ["fp16"], [cell]),
        {("m", "bm25"): prompts},
        {("m", "fp16", *cell): answers},
        budget,
    )
    pieces = data["pieces"]
    shown = {pieces[name]: [pieces[i] for i in own] for name, own in data["passages"].items()}
    first = data["queries"][0]
    assert (first["question"], first["metadata"]) == ("Is it?", {"section": "faq"})
    assert [pieces[name] for name in first["evidence"]] == ["b"]
    assert shown["a"] == ["A", "short"]
    assert shown["b"] == ["B", "x" * explorer.PASSAGE + " …"]
    # The second question brings the third passage, in no prompt but evidence.
    assert (data["taken"], set(shown)) == ((2, set("abc")) if budget > 1 else (1, set("ab")))


@given(st.text(alphabet="ab\n, d"), st.sampled_from(["", "\n", ", and ", "a", ", "]))
def test_pieces_give_the_prompt_back(text, separator):
    parts = explorer.cut(text, separator)
    assert "".join(parts) == text
    assert all(parts)


@given(st.text())
def test_json_in_a_script_is_the_same_value(text):
    written = explorer.to_json({"a": [text]})
    assert json.loads(written) == {"a": [text]}
    assert not set("<>&") & set(written)
