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
    Support,
    support,
)
from quantrag.quantization.hardware import Hardware
from quantrag.quantization.precisions import Precision

ROOT = Path(__file__).parents[3]


def test_the_table_has_an_answer_for_every_kind_engine_and_device():
    assert set(TABLE) == set(product(KINDS, ENGINES, DEVICES))
    for row in TABLE.values():
        assert not (row.refusal and row.needs != Hardware())
        assert bool(row.needs.capability) == bool(row.needs.reason)


def test_a_precision_needs_the_hardware_of_all_its_rows():
    needs = support(["awq", "kv-fp8"], "vllm", "cuda").needs
    assert needs == Hardware((8, 9), "FP8 in the attention kernels")
    assert support(["awq", "kv-fp8"], "vllm", "cpu").needs == Hardware(avx512=True)
    assert support(["fp8"], "vllm", "cpu") == support(["fp8"], "openai", "cuda") == Support()


def configuration(name: str) -> dict:
    return yaml.safe_load((ROOT / "config" / name).read_text())


@pytest.mark.parametrize("precision", ["int3-gptq", "int2-gptq"])
def test_a_configuration_that_an_engine_cannot_run_is_refused_with_the_reason(precision):
    config = configuration("precisions-cpu.yaml")
    assert load_config(config).precisions[precision].method == "gptq"
    kept = {name: config["precisions"][name] for name in ("bf16", precision)}
    with pytest.raises(UserError, match=f"precisions.{precision}: vLLM has no CUDA kernel"):
        load_config({**config, "precisions": kept, "generation": {"device": "cuda"}})


def test_the_configurations_for_a_cpu_hold_every_kind_that_runs_on_one():
    config, kinds = configuration("precisions-cpu.yaml"), set()
    config["precisions"] |= configuration("precisions-avx512.yaml")["precisions"]
    for name, entry in load_config(config).model_dump()["precisions"].items():
        kinds.update(Precision.of(name, entry).kinds)
    assert kinds == {"16-bit", "gptq-4", "gptq-8", "gptq-3", "awq", "w8a8", "fp8", "kv-fp8"}


def test_what_needs_avx512_is_named_and_nothing_else():
    """Only what every CPU runs is in precisions-cpu.yaml."""
    config = configuration("precisions-cpu.yaml")
    more = configuration("precisions-avx512.yaml")["precisions"]
    config["precisions"] |= more
    found = load_config(config).model_dump()["precisions"]
    needs = {
        name: Precision.of(name, entry).support("vllm", "cpu").needs
        for name, entry in found.items()
    }
    assert {name for name, need in needs.items() if need.avx512} == more.keys()
