"""Agreement of two rankings against the definitions, computed the slow way."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantrag.retrieval.agreement import PERSISTENCE, mean_agreement
from quantrag.retrieval.runs import SCHEMA


def run_of(rankings):
    rows = [
        (f"q{query}", rank, f"d{document}", -float(rank))
        for query, ranking in enumerate(rankings)
        for rank, document in enumerate(ranking, 1)
    ]
    return pa.table([list(c) for c in zip(*rows, strict=True)] or [[]] * 4, schema=SCHEMA)


def slow_rbo(a, b):
    """Equation 32 of Webber et al. as it stands there."""
    p, s, l = PERSISTENCE, *sorted((len(a), len(b)))  # noqa: E741 (the equation's names)
    overlap = [len(set(a[:d]) & set(b[:d])) for d in range(l + 1)]
    series = sum(overlap[d] / d * p**d for d in range(1, l + 1))
    series += sum(overlap[s] * (d - s) / (s * d) * p**d for d in range(s + 1, l + 1))
    last = ((overlap[l] - overlap[s]) / l + overlap[s] / s) * p**l
    return last + (1 - p) / p * series


PAIRS = st.lists(
    st.integers(1, 9).flatmap(
        lambda n: st.tuples(st.permutations(range(n)), st.permutations(range(n)))
    ),
    min_size=1,
    max_size=6,
)


@given(PAIRS, st.integers(1, 9))
def test_mean_agreement_is_as_defined(pairs, depth):
    pairs = [(a[:depth], b[:depth]) for a, b in pairs]
    row = mean_agreement(
        {"x": run_of([a for a, _ in pairs]), "y": run_of([b for _, b in pairs])}, "t"
    )
    row = row.iloc[0]
    assert (row["task"], row["retriever_a"], row["retriever_b"], row["n"]) == (
        "t",
        "x",
        "y",
        len(pairs),
    )
    assert row["top1"] == pytest.approx(np.mean([a[0] == b[0] for a, b in pairs]))
    share = [len(set(a[:5]) & set(b[:5])) / min(5, len(a)) for a, b in pairs]
    assert row["top5"] == pytest.approx(np.mean(share))
    assert row["rbo"] == pytest.approx(np.mean([slow_rbo(a, b) for a, b in pairs]))


def test_every_pair_once_in_order_and_full_agreement_is_one():
    same = run_of([[2, 0, 1], [0]])
    table = mean_agreement({"a": same, "b": same, "c": run_of([[0, 1, 2], [0]])}, "t")
    pairs = list(zip(table["retriever_a"], table["retriever_b"], strict=True))
    assert pairs == [("a", "b"), ("a", "c"), ("b", "c")]
    assert table.iloc[0][["top1", "top5", "rbo"]].tolist() == pytest.approx([1, 1, 1])


def test_a_single_retriever_has_no_pairs():
    assert mean_agreement({"a": run_of([[0]])}, "t").empty


@given(
    st.lists(st.integers(0, 9), unique=True, min_size=1),
    st.lists(st.integers(0, 9), unique=True, min_size=1),
)
def test_rankings_of_different_lengths(a, b):
    table = mean_agreement({"x": run_of([a]), "y": run_of([b])}, "t")
    assert table["rbo"][0] == pytest.approx(slow_rbo(a, b))
    assert 0 <= table["rbo"][0] <= 1 + 1e-12


def test_nothing_agrees_with_a_ranking_of_nothing():
    table = mean_agreement({"x": run_of([[1, 2], [3]]), "y": run_of([[], [3]])}, "t")
    assert table[["top1", "top5", "rbo"]].iloc[0].tolist() == pytest.approx([0.5, 0.5, 0.5])
