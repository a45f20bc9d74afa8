"""Profiles as slices."""

import numpy as np
import pyarrow as pa
import pytest

from quantrag.errors import UserError
from quantrag.retrieval.profiles import profiles_of


def tables(query_users, document_users):
    return (
        pa.table({"user_id": pa.array(query_users, pa.string())}),
        pa.table({"user_id": pa.array(document_users, pa.string())}),
    )


def test_each_query_gets_its_users_slice():
    profiles = profiles_of(*tables(["b", "a", "nobody", "b"], ["a", "a", "b", "b", "b"]))
    assert [profiles.slice_of(query) for query in range(4)] == [(2, 5), (0, 2), (0, 0), (2, 5)]
    assert len(profiles) == 2
    np.testing.assert_array_equal(profiles.sizes(), [2, 3])


def test_no_documents_at_all():
    profiles = profiles_of(*tables(["a"], []))
    assert profiles.slice_of(0) == (0, 0)
    assert len(profiles) == 0


def test_scattered_profile_is_refused_with_its_place():
    with pytest.raises(UserError, match="row 2: user 'a' appears again"):
        profiles_of(*tables(["a"], ["a", "b", "a"]))
