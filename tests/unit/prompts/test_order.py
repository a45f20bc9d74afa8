"""The order of a prompt's documents."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantrag.prompts.order import DocumentOrder


def test_by_rank():
    assert DocumentOrder().ranks("q", 3) == [0, 1, 2]
    assert DocumentOrder("best_last").ranks("q", 3) == [2, 1, 0]


@given(st.integers(0, 9), st.text(max_size=5), st.integers(0, 30), st.integers(0, 30))
def test_random_orders_of_a_query_agree(seed, query_id, n, more):
    order = DocumentOrder("random", seed)
    longer = order.ranks(query_id, n + more)
    assert sorted(longer) == list(range(n + more))
    assert order.ranks(query_id, n) == [rank for rank in longer if rank < n]


def test_random_orders_differ_between_queries_and_seeds():
    orders = {tuple(DocumentOrder("random", s).ranks(q, 8)) for s in (0, 1) for q in "abc"}
    assert len(orders) == 6


def test_every_random_order_is_as_likely():
    order = DocumentOrder("random", 0)
    found = Counter(tuple(order.ranks(str(query), 3)) for query in range(6000))
    assert len(found) == 6
    # Six standard deviations of a count of 1,000 among 6,000.
    assert all(
        count == pytest.approx(1000, abs=6 * (6000 / 6 * 5 / 6) ** 0.5) for count in found.values()
    )
