"""Measures of retrieval against their definitions."""

import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantrag.retrieval.quality import MEASURES, per_query

IDS = [f"d {i}" for i in range(15)]
EVIDENCE = pa.list_(pa.string())


def tables(rankings, evidence):
    queries = {f"q{i}": ranking for i, ranking in enumerate(rankings)}
    rows = [
        (query, rank, document)
        for query, ranking in queries.items()
        for rank, document in enumerate(ranking, 1)
    ]
    columns = list(zip(*rows, strict=True)) or [[], [], []]
    types = (pa.string(), pa.int32(), pa.string())
    arrays = [pa.array(list(c), t) for c, t in zip(columns, types, strict=True)]
    run = pa.table(arrays, names=["query_id", "rank", "document_id"])
    asked = {
        "query_id": pa.array(list(queries), pa.string()),
        "evidence": pa.array(evidence, EVIDENCE),
    }
    return run, pa.table(asked)


def expected(ranking, evidence):
    gains = [document in evidence for document in ranking]
    dcg = sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains[:10], 1))
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(10, len(evidence)) + 1))
    return {
        **{f"recall_{k}": sum(gains[:k]) / len(evidence) for k in (1, 3, 5, 10)},
        "mrr": 1 / (1 + gains.index(True)) if any(gains) else 0.0,
        "ndcg_10": dcg / ideal,
    }


DOCUMENTS = st.lists(st.sampled_from(IDS), unique=True)


@given(st.lists(st.tuples(DOCUMENTS, DOCUMENTS.map(lambda d: d[:3])), min_size=1, max_size=5))
def test_measures_are_as_defined_for_queries_whose_evidence_is_known(pairs):
    found = per_query(*tables([r for r, _ in pairs], [e for _, e in pairs]))
    known = [place for place, (_, evidence) in enumerate(pairs) if evidence]
    assert found.index.tolist() == [f"q{place}" for place in known]
    assert list(found) == list(MEASURES)
    for place in known:
        assert found.loc[f"q{place}"].to_dict() == pytest.approx(expected(*pairs[place]), abs=1e-6)


def test_ties_are_broken_by_rank_and_not_by_id():
    run, queries = tables([IDS, IDS[::-1]], [[IDS[0]], [IDS[0]]])
    found = per_query(run, queries)
    assert found["recall_1"].tolist() == [1, 0]
    assert found["mrr"].tolist() == pytest.approx([1, 1 / 15])


def test_a_query_that_finds_nothing_counts_and_one_document_named_twice_is_one():
    run, queries = tables([[], ["d 1"]], [["d 1"], ["d 1", "d 1"]])
    assert per_query(run, queries)["recall_1"].tolist() == [0, 1]
