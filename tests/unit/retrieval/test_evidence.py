"""The evidence as a ranking, with and without distractors."""

import numpy as np
import pyarrow as pa

from quantrag.retrieval import evidence


def test_evidence_comes_first_and_once():
    gold = [np.array([4, 1]), np.empty(0, np.int64)]
    others = [np.array([3, 1, 0, 4]), np.array([2, 0])]
    found = list(evidence.retrieve(gold, others, None))
    assert [rows.tolist() for rows, _ in found] == [[4, 1, 3, 0], [2, 0]]
    assert found[0][1].tolist() == [4, 3, 2, 1]
    cut = [rows.tolist() for rows, _ in evidence.retrieve(gold, others, 3)]
    assert cut == [[4, 1, 3], [2, 0]]


def test_without_distractors_nothing_follows():
    gold = [np.array([4, 1]), np.empty(0, np.int64)]
    assert [rows.tolist() for rows, _ in evidence.retrieve(gold, None, 9)] == [[4, 1], []]


def test_evidence_is_found_by_its_ids():
    queries = pa.table({"scope_id": ["corpus"] * 3, "evidence": [["c", "a"], [], ["b"]]})
    documents = pa.table({"scope_id": ["corpus"] * 3, "document_id": ["a", "b", "c"]})
    assert [rows.tolist() for rows in evidence.rows(queries, documents)] == [[2, 0], [], [1]]
    none = queries.set_column(1, "evidence", pa.array([[], [], []], pa.list_(pa.string())))
    assert [rows.tolist() for rows in evidence.rows(none, documents)] == [[], [], []]
