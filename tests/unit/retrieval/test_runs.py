"""Runs as tables and as TREC files."""

import ir_measures
import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from quantrag.retrieval.runs import SCHEMA, best_first, ranking, rankings_of, run_table, write_trec
from quantrag.tables import write_table

QUERIES = pa.array(["q1", "q2", "q3"])
DOCUMENTS = pa.array(["d1", "d2", "d1"])


def small_run():
    return run_table(
        QUERIES,
        DOCUMENTS,
        [
            ranking(0, np.array([0.5, 1 / 3]), None),
            ranking(0, np.zeros(0), None),
            ranking(2, np.array([2.0]), None),
        ],
    )


def test_run_has_ranks_from_one_and_no_rows_for_an_empty_profile():
    run = small_run()
    assert run.schema == SCHEMA
    assert run.to_pydict() == {
        "query_id": ["q1", "q1", "q3"],
        "rank": [1, 2, 1],
        "document_id": ["d1", "d2", "d1"],
        "score": [0.5, 1 / 3, 2.0],
    }


def test_run_of_empty_profiles_only():
    nothing = ranking(0, np.zeros(0), None)
    run = run_table(QUERIES, pa.array([], pa.string()), [nothing] * 3)
    assert run.num_rows == 0
    assert run.schema == SCHEMA


def test_depth_cuts_the_ranking():
    rows, scores = ranking(10, np.array([1.0, 3.0, 2.0]), 2)
    assert rows.tolist() == [11, 12]
    assert scores.tolist() == [3.0, 2.0]


@given(st.lists(st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5]), max_size=30))
def test_ties_keep_the_profiles_order(scores):
    order = best_first(np.array(scores))
    assert order.tolist() == sorted(range(len(scores)), key=lambda i: (-scores[i], i))


def test_same_run_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_table(small_run(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_trec_file_is_read_by_ir_measures_with_exact_scores(tmp_path):
    write_trec(small_run(), tmp_path / "run", "bm25")
    read = [
        (r.query_id, r.doc_id, r.score) for r in ir_measures.read_trec_run(str(tmp_path / "run"))
    ]
    assert read == [("q1", "d1", 0.5), ("q1", "d2", 1 / 3), ("q3", "d1", 2.0)]
    assert (tmp_path / "run").read_text().splitlines()[0] == "q1 Q0 d1 1 0.5 bm25"


def test_white_space_in_ids_is_percent_encoded_in_trec_files(tmp_path):
    documents = pa.array(["the leave.md#0-44", "the%20leave.md", "b\u2003c"])
    run = run_table(pa.array(["q\t1"]), documents, [ranking(0, np.array([3.0, 2, 1]), None)])
    write_trec(run, tmp_path / "run", "bm25")
    assert (tmp_path / "run").read_text().splitlines() == [
        "q%091 Q0 the%20leave.md#0-44 1 3.0 bm25",
        "q%091 Q0 the%2520leave.md 2 2.0 bm25",
        "q%091 Q0 b%E2%80%83c 3 1.0 bm25",
    ]


def test_a_run_is_read_back_as_the_rows_that_it_was_made_of():
    queries = pa.table({"query_id": QUERIES, "scope_id": ["a", "nobody", "b"]})
    documents = pa.table({"document_id": DOCUMENTS, "scope_id": ["a", "a", "b"]})
    found = rankings_of(small_run(), queries, documents)
    assert [rows.tolist() for rows in found] == [[0, 1], [], [2]]
    assert [rows.tolist() for rows in rankings_of(SCHEMA.empty_table(), queries, documents)] == [
        []
    ] * 3
