"""Where the evidence stands in a prompt."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantrag.grid import Cell
from quantrag.scoring.evidence import (
    ABSENT,
    THIRDS,
    UNKNOWN,
    place_of_evidence,
    with_documents,
)
from quantrag.tables import write_table


@pytest.mark.parametrize(
    ("n", "places"),
    [
        (1, ["first"]),
        (2, ["first", "middle"]),
        (3, ["first", "middle", "last"]),
        (4, ["first", "first", "middle", "last"]),
        (5, ["first", "first", "middle", "middle", "last"]),
        (6, ["first", "first", "middle", "middle", "last", "last"]),
    ],
)
def test_thirds_of_small_prompts(n, places):
    documents = [f"d{i}" for i in range(n)]
    assert [place_of_evidence(documents, [document]) for document in documents] == places


def test_unknown_and_absent():
    assert place_of_evidence(["a"], []) == UNKNOWN
    assert place_of_evidence([], []) == UNKNOWN
    assert place_of_evidence([], ["a"]) == ABSENT
    assert place_of_evidence(["b", "c"], ["a"]) == ABSENT


def test_of_several_passages_the_first_in_the_prompt_counts():
    assert place_of_evidence(["x", "b", "a"], ["a", "b", "c"]) == "middle"


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n - 1))))
def test_a_third_holds_a_third_of_the_documents(case):
    n, position = case
    documents = list(map(str, range(n)))
    third = THIRDS.index(place_of_evidence(documents, [str(position)]))
    assert third * n / 3 <= position < (third + 1) * n / 3


def test_documents_are_those_of_the_cells_prompts(tmp_path):
    path = tmp_path / "own" / "bm25.parquet"
    documents = [["a"], ["a", "b"], ["c"], ["c", "d"]]
    prompts = pd.DataFrame({"query_id": list("xxyy"), "k": list("1212"), "document_ids": documents})
    write_table(prompts, path)
    cells = [Cell.parse(f"{task}/bm25/k2") for task in ("own", "other")]
    frames = [pd.DataFrame({"query_id": ["y", "x"], "text": ["1", "2"]})] * 2
    own, other = with_documents(frames, cells, [path])
    assert own["text"].tolist() == ["1", "2"]
    assert [list(ids) for ids in own["document_ids"]] == [["c", "d"], ["a", "b"]]
    assert "document_ids" not in other
