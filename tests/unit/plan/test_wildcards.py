"""A constraint matches exactly the names that it was made of."""

import re

from hypothesis import given
from hypothesis import strategies as st

from quantrag.plan.wildcards import one_of

NAMES = st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]*", fullmatch=True), max_size=4)


@given(names=NAMES, other=st.text(max_size=5))
def test_it_matches_the_names_and_nothing_else(names, other):
    pattern = one_of(names)
    assert all(re.fullmatch(pattern, name) for name in names)
    assert bool(re.fullmatch(pattern, other)) == (other in names)
