"""Scopes as slices."""

import numpy as np
import pyarrow as pa
import pytest

from quantrag.errors import UserError
from quantrag.retrieval.scopes import rows_of, scopes_of


def tables(query_users, document_users):
    return (
        pa.table({"scope_id": pa.array(query_users, pa.string())}),
        pa.table({"scope_id": pa.array(document_users, pa.string())}),
    )


def test_each_query_gets_its_scopes_slice():
    scopes = scopes_of(*tables(["b", "a", "nobody", "b"], ["a", "a", "b", "b", "b"]))
    assert [scopes.slice_of(query) for query in range(4)] == [(2, 5), (0, 2), (0, 0), (2, 5)]
    assert len(scopes) == 2
    np.testing.assert_array_equal(scopes.sizes(), [2, 3])


def test_a_corpus_is_one_scope_that_all_queries_share():
    scopes = scopes_of(*tables(["corpus"] * 3, ["corpus"] * 5))
    assert [scopes.slice_of(query) for query in range(3)] == [(0, 5)] * 3
    assert len(scopes) == 1


def test_no_documents_at_all():
    scopes = scopes_of(*tables(["a"], []))
    assert scopes.slice_of(0) == (0, 0)
    assert len(scopes) == 0


def test_scattered_scope_is_refused_with_its_place():
    with pytest.raises(UserError, match="row 2: scope 'a' appears again"):
        scopes_of(*tables(["a"], ["a", "b", "a"]))


def test_documents_are_found_by_id_inside_their_querys_scope():
    scopes = scopes_of(*tables(["b", "a", "nobody", "b"], ["a", "a", "b", "b"]))
    ids = pa.chunked_array([["x", "y"], ["y", "x"]])
    found = rows_of(scopes, ids, np.array([0, 0, 1, 3]), pa.chunked_array([["x", "y"], ["x", "y"]]))
    assert [rows.tolist() for rows in found] == [[3, 2], [0], [], [2]]
    for query, name in ((0, "z"), (2, "x")):
        with pytest.raises(ValueError, match=f"no document {name}"):
            rows_of(scopes, ids, np.array([query]), pa.chunked_array([[name]]))
    nothing = pa.chunked_array([pa.array([], pa.string())])
    assert [len(rows) for rows in rows_of(scopes, ids, np.array([], np.int64), nothing)] == [0] * 4
