"""Which retriever's stages depend on which of its settings, and where encoders are."""

import re
from types import SimpleNamespace

import pytest

from lamp_tasks import in_a_corpus
from quantrag.plan.retrieval import RetrievalPlan
from shipped_experiments import experiment

HUB = {"kind": "huggingface", "repo": "a/b", "revision": "refs/pr/2"}
RETRIEVERS = {
    "bm25": {"kind": "lucene", "k1": 2},
    "one": {"kind": "dense", "encoder": HUB},
    "two": {
        "kind": "dense",
        "encoder": {"kind": "folder", "folder": "here"},
        "query_encoder": {**HUB, "revision": "main"},
    },
    "three": {"kind": "dense"},
}
RETRIEVAL = RetrievalPlan(experiment(retrievers=RETRIEVERS))


def test_a_stage_depends_on_the_keys_that_it_names():
    settings = RETRIEVAL.settings("k1", "b")
    assert settings(SimpleNamespace(retriever="bm25")) == {"k1": 2, "b": 0.4}


@pytest.mark.parametrize(
    ("lamp", "text"),
    [
        (1, "target_and_text"),
        (2, "text"),
        (3, "text"),
        (4, "target_and_text"),
        (5, "target_and_text"),
        (7, "text"),
    ],
)
def test_of_a_task_only_the_text_that_is_usually_searched_decides_an_index(lamp, text):
    own = {"bm25": {"kind": "lucene"}, "titles": {"kind": "lucene", "document_text": "text"}}
    plan = RetrievalPlan(experiment(tasks={"t": {"lamp": lamp}}, retrievers=own))
    settings = plan.settings("document_text")
    wildcards = SimpleNamespace(task="t", retriever="bm25")
    assert settings(wildcards) == {"document_text": text}
    assert settings(SimpleNamespace(task="t", retriever="titles")) == {"document_text": "text"}


def test_rules_take_the_retrievers_of_their_kind():
    assert re.fullmatch(RETRIEVAL.of_kind("dense"), "two")
    assert not re.fullmatch(RETRIEVAL.of_kind("dense"), "bm25")
    assert not re.fullmatch(RETRIEVAL.of_kind("order"), "bm25")


def test_queries_are_encoded_by_the_documents_encoder_unless_they_have_their_own():
    assert RETRIEVAL.query_encoder("one") == RETRIEVAL.document_encoder("one") == HUB
    assert RETRIEVAL.document_encoder("two") == {"kind": "folder", "folder": "here"}
    assert RETRIEVAL.query_encoder("two") == {**HUB, "revision": "main"}


def test_encoders_on_the_hub_are_downloaded_once_each():
    assert RETRIEVAL.downloaded == {
        "a--b--refs--pr--2": HUB,
        "a--b--main": {**HUB, "revision": "main"},
    }


def test_a_shared_corpus_keeps_the_first_documents_and_has_one_statistics(monkeypatch):
    of = SimpleNamespace(task="LaMP-5U", retriever="bm25")
    assert RETRIEVAL.scope(of) == "profile"
    assert RETRIEVAL.depth(of) is None
    assert RETRIEVAL.statistics(of) == "collection"
    in_a_corpus(monkeypatch)
    shared = RetrievalPlan(experiment(retrievers=RETRIEVERS))
    assert shared.scope(of) == "corpus"
    assert shared.depth(of) == 100
    assert RetrievalPlan(experiment(k=[0, 150, "max_8K"])).depth(of) == 150
    assert shared.statistics(of) == "corpus"
    assert RetrievalPlan(experiment(retrieval_depth=7)).depth(of) == 7


def test_rankings_of_others_are_inputs_and_cross_encoders_are_downloaded_too():
    others = {
        "both": {"kind": "fusion", "retrievers": ["one", "bm25"]},
        "again": {"kind": "rerank", "retriever": "both", "model": {**HUB, "repo": "c/d"}},
    }
    retrieval = RetrievalPlan(experiment(retrievers={**RETRIEVERS, **others}))

    def runs(retriever):
        return retrieval.input_runs(SimpleNamespace(task="LaMP-5U", retriever=retriever))

    assert runs("both") == [
        "<results>/runs/LaMP-5U/one.parquet",
        "<results>/runs/LaMP-5U/bm25.parquet",
    ]
    assert runs("again") == ["<results>/runs/LaMP-5U/both.parquet"]
    assert runs("bm25") == []
    assert retrieval.indexed == ["bm25", "one", "two", "three"]
    assert retrieval.cross_encoder("again") == retrieval.downloaded["c--d--refs--pr--2"]


def test_tokenizers_that_documents_are_cut_by_are_downloaded_too():
    task = {
        "kind": "questions",
        "corpus": {"files": "*.md"},
        "questions": {"file": "q.csv"},
        "answer": "short",
        "held_out": 0.1,
        "passages": {"tokenizer": HUB},
    }
    plan = RetrievalPlan(experiment(tasks={"t": task}))
    assert plan.downloaded == {"a--b--refs--pr--2": HUB}
