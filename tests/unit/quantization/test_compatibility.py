import json
from itertools import product
from pathlib import Path

import pytest
import yaml

from quantrag.config.loading import load_config
from quantrag.errors import UserError
from quantrag.quantization.compatibility import (
    DEVICES,
    ENGINES,
    KINDS,
    TABLE,
    capability_refusal,
    engine_refusal,
    kinds_of,
    needed_capability,
)
from quantrag.quantization.precisions_reference import DOCUMENT, precisions_reference

ROOT = Path(__file__).parents[3]


def test_the_table_has_an_answer_for_every_kind_engine_and_device():
    assert set(TABLE) == set(product(KINDS, ENGINES, DEVICES))
    for row in TABLE.values():
        assert not (row.refusal and row.capability)
        assert bool(row.capability) == bool(row.reason)


def test_the_document_is_generated():
    assert DOCUMENT.read_text() == precisions_reference(), "run `make config-reference`"


@pytest.mark.parametrize(
    ("precision", "engine", "device", "reason"),
    [
        ({"method": "nf4"}, "vllm", "cuda", "no longer loads through bitsandbytes"),
        ({"method": "nf4"}, "transformers", "cuda", None),
        ({"method": "awq"}, "vllm", "cpu", None),
        ({"method": "fp8"}, "vllm", "cpu", None),
        ({"method": "none", "dtype": "float16"}, "vllm", "cpu", "take bfloat16"),
        ({"method": "awq", "kv_cache_dtype": "fp8"}, "transformers", "cuda", "needs vllm"),
        ({"method": "awq", "kv_cache_dtype": "fp8"}, "openai", "cuda", None),
    ],
)
def test_every_kind_that_a_precision_belongs_to_must_run(precision, engine, device, reason):
    refusal = engine_refusal(precision, engine, device)
    assert refusal is None if reason is None else reason in refusal


def test_a_gpu_is_refused_by_its_compute_capability():
    needed = needed_capability({"method": "fp8"}, "vllm", "cuda")
    assert needed[:2] == (8, 9)
    assert "8.9 is needed" in capability_refusal(needed, (8, 0))
    assert "this GPU has 8.0" in capability_refusal(needed, (8, 0))
    assert capability_refusal(needed, (8, 9)) is None
    assert capability_refusal(needed, (9, 0)) is None
    assert needed_capability({"method": "fp8"}, "vllm", "cpu") is None
    both = {"method": "awq", "kv_cache_dtype": "fp8"}
    assert needed_capability(both, "vllm", "cuda")[:2] == (8, 9)


def configuration(name: str) -> dict:
    return yaml.safe_load((ROOT / "config" / name).read_text())


@pytest.mark.parametrize("precision", ["int3-gptq", "int2-gptq"])
def test_a_configuration_that_an_engine_cannot_run_is_refused_with_the_reason(precision):
    config = configuration("precisions-cpu.yaml")
    loaded = load_config(config)
    assert loaded["precisions"][precision]["method"] == "gptq"
    kept = {name: config["precisions"][name] for name in ("bf16", precision)}
    with pytest.raises(UserError, match=f"precisions.{precision}: vLLM has no CUDA kernel"):
        load_config({**config, "precisions": kept, "generation": {"device": "cuda"}})


def test_the_configurations_for_a_cpu_hold_every_kind_that_runs_on_one(monkeypatch):
    monkeypatch.setattr("quantrag.config.loading.flags", lambda: frozenset({"avx2", "avx512f"}))
    config, kinds = configuration("precisions-cpu.yaml"), set()
    config["precisions"] |= configuration("precisions-avx512.yaml")["precisions"]
    for entry in load_config(config)["precisions"].values():
        kinds.update(kinds_of(entry))
    assert kinds == {"16-bit", "gptq-4", "gptq-8", "gptq-3", "awq", "w8a8", "fp8", "kv-fp8"}


@pytest.mark.parametrize("precision", ["int4-awq", "kv-fp8"])
def test_what_this_processor_cannot_run_is_refused(monkeypatch, precision):
    config = configuration("precisions-cpu.yaml")
    more = configuration("precisions-avx512.yaml")["precisions"]
    config["precisions"][precision] = more[precision]
    monkeypatch.setattr("quantrag.config.loading.flags", lambda: frozenset({"avx2"}))
    with pytest.raises(UserError, match=f"precisions.{precision}: .* needs a CPU with AVX-512"):
        load_config(config)
    monkeypatch.setattr("quantrag.config.loading.flags", frozenset)  # nothing is known
    assert precision in load_config(config)["precisions"]
    del config["precisions"][precision]
    monkeypatch.setattr("quantrag.config.loading.flags", lambda: frozenset({"avx2"}))
    load_config(config)


def test_a_calibration_file_must_be_named():
    config = configuration("precisions-cpu.yaml")
    config["precisions"]["int8-gptq"]["calibration"] = {"source": "file"}
    with pytest.raises(UserError, match="source file needs the key 'path'"):
        load_config(json.loads(json.dumps(config)))
