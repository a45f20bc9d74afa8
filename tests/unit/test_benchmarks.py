"""The benchmarks start, compare what they say they compare, and write JSON where asked."""

import argparse
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from benchmarks.parts import (
    common,
    device_rates,
    generation_prompts,
    random_model,
    retrieval_dense,
)
from generation_samples import TASKS, write_prompts
from quantrag.checkpoints.folder import (
    quantization_settings,
    read_config,
    tensor_entries,
    validate,
)
from quantrag.generation.cell_tables import read_prompts
from quantrag.retrieval.scopes import Scopes

NAMES = ("analysis", "generation", "prompts", "retrieval", "simulations", "workflow")


@pytest.mark.parametrize("name", NAMES)
def test_starts_from_any_folder(root, tmp_path, name):
    command = [sys.executable, root / "benchmarks" / f"{name}.py", "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "--quick" in done.stdout


def test_hides_no_module_of_the_standard_library(root):
    """A script's folder comes first where Python looks for modules."""
    names = {path.stem for path in (root / "benchmarks").iterdir()}
    assert names >= set(NAMES)
    assert not names & sys.stdlib_module_names


@pytest.mark.parametrize("target", [None, "-", "file"])
def test_json_goes_where_it_is_asked_for(tmp_path, capfd, target):
    def measure(arguments):
        common.show("a table", [("speed", "3 x")])
        os.system("/bin/echo from a child process")
        return {"speedup": 3.0}

    path = tmp_path / "numbers.json"
    given = str(path) if target == "file" else target
    common.run(measure, argparse.Namespace(json=given, quick=True))
    printed = capfd.readouterr().out
    assert ("speed " in printed) == (target != "-")
    assert ("from a child process" in printed) == (target != "-")
    text = {None: None, "-": printed, "file": path.read_text() if path.exists() else None}[target]
    if text is not None:
        expected = {"speedup": 3.0, "machine": common.machine(), "quick": True}
        assert json.loads(text) == expected


def test_times_are_medians_of_runs_in_turn():
    order = []
    functions = {name: lambda name=name: order.append(name) or len(order) for name in "ab"}
    seconds, processor, results = common.in_turn(3, functions)
    assert order == list("ababab")
    assert results == {"a": 5, "b": 6}
    assert set(seconds) == set(processor) == {"a", "b"}


def test_a_part_has_its_own_peak_memory():
    held = np.ones(200_000_000, dtype=np.uint8)
    assert common.alone(common.peak_gib) < common.peak_gib() - 0.1
    assert held[-1] == 1


def test_agreement_of_the_first_five():
    scopes = Scopes(bounds=np.array([0, 10]), of_query=np.array([0, -1]))
    rows = np.arange(10.0)[:, None]
    ahead, behind = np.array([[1.0], [1.0]]), np.array([[-1.0], [1.0]])
    agreement = retrieval_dense.top_five_agreement
    assert agreement((rows, ahead), (rows, ahead), scopes) == 1.0
    assert agreement((rows, ahead), (rows, behind), scopes) == 0.0
    shifted = rows.copy()
    shifted[0] = 100
    assert agreement((rows, ahead), (shifted, ahead), scopes) == pytest.approx(0.8)


def test_generation_is_compared_on_the_first_queries_prompts(tmp_path):
    write_prompts(tmp_path / "source", ["0", "1", "8", "max_4K"], queries=3)
    generation_prompts.select_prompts(tmp_path / "source", tmp_path / "prompts", 2)
    cells = generation_prompts.cells(tmp_path)
    assert sorted(map(str, cells)) == sorted(
        f"{task}/{retriever}/k{k}.parquet"
        for task in TASKS
        for retriever, k in [("none", "0"), ("bm25", "1"), ("bm25", "8"), ("bm25", "max_4K")]
    )
    of_cells = [generation_prompts.prompts_of_cell(tmp_path, cell) for cell in cells]
    assert all(len(prompts) == 2 for prompts in of_cells)
    # `max_4K` has all eight documents, as k = 8 has.
    distinct = generation_prompts.distinct_prompts(tmp_path)
    assert len(distinct) == 2 * 3 * len(TASKS)
    assert distinct == sorted(distinct)
    assert {tuple(p) for p in distinct} == {tuple(p) for prompts in of_cells for p in prompts}


@pytest.mark.parametrize("precision", random_model.PRECISIONS)
def test_a_random_model_is_a_whole_checkpoint(tmp_path, precision):
    shape = random_model.SHAPES["tiny"]
    folder = random_model.write_checkpoint(tmp_path / "model", shape, precision, "cpu")
    validate(folder, chat_template=False)
    stored = tensor_entries(folder)
    expected = {"bf16": "weight", "int4-gptq": "qweight", "fp8-w8a8": "weight_scale"}[precision]
    assert f"model.layers.1.mlp.down_proj.{expected}" in stored
    assert (precision == "bf16") == (not quantization_settings(read_config(folder)))
    if precision == "bf16":
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
        assert set(stored) == set(model.state_dict())


def test_prompts_of_a_random_model_share_their_beginnings(tmp_path):
    shape = random_model.SHAPES["tiny"]
    random_model.write_prompts(tmp_path / "prompts", shape, queries=3, new_tokens=8)
    prompts = read_prompts(generation_prompts.prompt_files(tmp_path)).to_pylist()
    assert len(prompts) == 3 * 5
    by_k = {row["k"]: row["token_ids"] for row in prompts if row["query_id"] == "q1"}
    # 24 of the header, 90 at least of the first document.
    assert by_k["1"][:114] == by_k["3"][:114] == by_k["max_4K"][:114]
    assert by_k["0"][:24] == by_k["1"][:24]
    assert max(row["n_tokens"] for row in prompts) <= shape["max_position_embeddings"] - 8
    assert all(len(row["continuations"]) == 1 for row in prompts)


def test_only_matrices_that_every_token_goes_through_count_as_work(tmp_path):
    shape = random_model.SHAPES["tiny"]
    folder = random_model.write_checkpoint(tmp_path / "model", shape, "int4-gptq", "cpu")
    hidden, inner = shape["hidden_size"], shape["intermediate_size"]
    parameters = shape["num_hidden_layers"] * (4 * hidden**2 + 3 * hidden * inner)
    assert device_rates.linear_parameters(folder) == parameters
    sweep = {"prompt_tokens": 300, "cached_tokens": 100, "output_tokens": 40, "prompts": 10}
    sweep |= {"max_num_seqs": 5, "cache_bytes_per_token": 8, "loaded_weight_bytes": 1000}
    operations, bytes_read = device_rates.work(folder, sweep)
    assert operations == 2 * parameters * (200 + 40)
    # Eight steps of five answers; 40 tokens after prompts of 30.
    assert bytes_read == 8 * 1000 + 40 * 30 * 8


def test_generation_without_prompts_says_what_to_do(tmp_path):
    with pytest.raises(SystemExit, match="no prompts"):
        generation_prompts.select_prompts(tmp_path, tmp_path / "prompts", 2)
