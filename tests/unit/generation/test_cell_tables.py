"""Prompts in, the order to feed them in, completions out."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation_samples import cell_files, write_prompts
from quantrag.engines.base import Completion, Likelihood
from quantrag.errors import UserError
from quantrag.generation.cell_tables import (
    COMPLETIONS_SCHEMA,
    Answer,
    baseline_answers,
    cell_rows,
    completions_table,
    ordered,
    read_prompts,
)
from quantrag.tables import read_arrow, write_table


def test_prompts_know_their_task_and_retriever(tmp_path):
    prompts = read_prompts(write_prompts(tmp_path, ["0", "3"], queries=2))
    cells = [(row["task"], row["retriever"], row["k"]) for row in prompts.to_pylist()]
    assert cells[:4] == [("LaMP-3U", "none", "0")] * 2 + [("LaMP-3U", "bm25", "3")] * 2
    assert len(cells) == 8
    assert prompts["continuations"][0].as_py() == [[20], [21], [22], [23], [24]]


def test_prompts_without_continuations_have_none(tmp_path):
    path = write_prompts(tmp_path, ["0"], queries=2)[0]
    write_table(read_arrow(path).drop_columns(["continuations"]), path)
    assert read_prompts([path])["continuations"].to_pylist() == [[], []]


def test_a_cells_rows_are_its_prompts_in_their_order(tmp_path):
    prompts = read_prompts(write_prompts(tmp_path / "prompts", ["0", "1", "3"], queries=2))
    files = cell_files(tmp_path / "completions", ["3", "0"])
    rows = {path: own.tolist() for path, own in cell_rows(prompts, files)}
    # Of each task: two prompts of k = 0, two of k = 1, two of k = 3.
    assert [rows[path] for path in files] == [[4, 5], [0, 1], [10, 11], [6, 7]]


def test_shuffling_depends_on_the_seed_and_on_nothing_else():
    arrays = [np.array([n], np.int32) for n in range(20)]
    shuffled = ordered(range(20), arrays.__getitem__, "prefix", 0)
    assert sorted(shuffled) == list(range(20)) != shuffled
    assert ordered(range(19, -1, -1), arrays.__getitem__, "length", 0) == shuffled
    assert ordered(range(20), arrays.__getitem__, "prefix", 1) != shuffled


def completion(text, token_ids, logprobs):
    return Completion(
        key=text,
        text=text,
        finish_reason="stop",
        prompt_tokens=7,
        cached_tokens=3,
        output_tokens=2,
        token_ids=token_ids,
        logprobs=logprobs,
    )


def test_a_completions_table_by_hand():
    prompts = pa.table({"query_id": ["p", "q", "r"], "prompt_hash": ["x", "y", "z"]})
    table = completions_table(
        prompts,
        np.array([2, 0]),
        [completion("one", [4, 2], [-1.0, -2.0]), completion("two", [], [])],
        [[Likelihood("a", [-0.5], [True])], None],
        [None, (Likelihood("b", [-3.0], [False]), [-1.5])],
    )
    assert table.schema == COMPLETIONS_SCHEMA
    first, second = table.to_pylist()
    assert (first["query_id"], first["prompt_hash"], first["text"]) == ("r", "z", "one")
    assert first["likelihoods"] == [{"logprobs": [-0.5], "top": [True]}]
    assert first["baseline_likelihood"] is None
    assert (second["query_id"], second["likelihoods"]) == ("p", None)
    assert second["baseline_likelihood"] == {
        "logprobs": [-3.0],
        "top": [False],
        "reference": [-1.5],
    }


def test_answers_of_the_baseline_are_those_whose_tokens_are_known(tmp_path, caplog):
    prompts = pa.table({"query_id": ["p", "q"], "prompt_hash": ["x", "y"]})
    known, unknown = completion("one", [4, 2], [-1.0, -2.0]), completion("two", [], [])
    table = completions_table(prompts, np.array([0, 1]), [known, unknown])
    write_table(table, tmp_path / "k1.parquet")
    assert baseline_answers([tmp_path / "k1.parquet"]) == {"x": Answer([4, 2], [-1.0, -2.0])}
    assert "1 of the baseline's 2 answers have no log-probabilities" in caplog.text


@given(
    st.lists(
        st.lists(st.integers(min_value=0, max_value=2**31 - 1), min_size=1, max_size=6), max_size=8
    )
)
def test_prefix_order_is_lexicographic(prompts):
    arrays = [np.array(ids, dtype=np.int32) for ids in prompts]
    order = ordered(range(len(prompts)), arrays.__getitem__, "prefix", None)
    assert [prompts[row] for row in order] == sorted(prompts)


def test_length_order_is_longest_first():
    arrays = [np.zeros(n, np.int32) for n in (3, 9, 1, 9)]
    assert ordered(range(4), arrays.__getitem__, "length", None) == [1, 3, 0, 2]


def test_prompts_without_a_needed_column_are_refused(tmp_path):
    path = write_prompts(tmp_path, ["0"])[0]
    write_table(read_arrow(path).drop_columns(["prompt_hash"]), path)
    with pytest.raises(UserError, match="no column prompt_hash"):
        read_prompts([path])


def test_a_cell_without_prompts_is_refused(tmp_path):
    prompts = read_prompts(write_prompts(tmp_path / "prompts", ["0", "1"]))
    with pytest.raises(UserError, match="no prompts for the cell LaMP-3U/bm25/k5"):
        cell_rows(prompts, cell_files(tmp_path / "completions", ["5"]))
