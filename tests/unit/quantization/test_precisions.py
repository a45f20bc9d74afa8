"""What the registry says of each method, and of a config's entry."""

import json
import subprocess
import sys
from typing import get_args

import pytest

from quantrag.errors import UserError
from quantrag.quantization.compatibility import KINDS
from quantrag.quantization.precisions import METHODS, Precision
from quantrag.quantization.settings import AnyPrecision

GPTQ = {
    "method": "gptq",
    "tool": "gptqmodel",
    "bits": 4,
    "group_size": 128,
    "sym": True,
    "desc_act": False,
    "group_aware": True,
    "damp_percent": 0.05,
    "calibration": {"count": 8},
}
ENTRIES = {
    "none": {"method": "none", "dtype": "float32", "kv_cache_dtype": "auto"},
    "gptq": {**GPTQ, "dtype": "auto", "kv_cache_dtype": "fp8"},
    "awq": {"method": "awq", "group_size": 64, "sym": False, "grid": 5, "calibration": {}},
    "w8a8": {"method": "w8a8", "smoothing_strength": 0.8, "calibration": {}},
    "fp8": {"method": "fp8", "calibration": {}},
    "nf4": {"method": "nf4"},
    "published": {"method": "published", "checkpoints": {"m": {"kind": "folder"}}},
}


def precision(name="p", **entry) -> Precision:
    return Precision.of(name, entry)


def test_every_method_has_an_entry_here():
    assert METHODS.keys() == ENTRIES.keys()


@pytest.mark.parametrize("name", METHODS)
def test_every_method_knows_its_rows_and_its_size(name):
    asked = Precision.of("p", ENTRIES[name])
    assert asked.method is METHODS[name]
    assert asked.kinds
    assert set(asked.kinds) <= set(KINDS)
    assert 0 < asked.stored_bits <= 32
    # A checkpoint that is made here is made by a tool, and no other one is.
    assert asked.made_here == (asked.tool is not None)
    assert set(asked.parameters) == set(asked.method.parameters)
    assert (asked.calibration is not None) == asked.method.calibrated
    assert asked.published == bool(asked.checkpoints)


def test_the_registry_and_the_configuration_have_the_same_methods_and_keys():
    sections = {
        get_args(section.model_fields["method"].annotation)[0]: section
        for section in get_args(get_args(AnyPrecision)[0])
    }
    assert sections.keys() == METHODS.keys()
    for name, section in sections.items():
        method, keys = METHODS[name], section.model_fields.keys() - {"dtype", "kv_cache_dtype"}
        assert keys - {"method", "tool", "calibration", "checkpoints"} == set(method.parameters)
        assert ("calibration" in keys) == method.calibrated
        assert ("checkpoints" in keys) == (method.checkpoint == "published")
        if "tool" in keys:
            assert get_args(section.model_fields["tool"].annotation) == method.tools
        else:
            assert len(method.tools) <= 1


def test_an_unknown_method_is_one_clear_error():
    with pytest.raises(UserError, match=r"precisions\.int5\.method: unknown method 'gptqq'"):
        precision("int5", method="gptqq")


@pytest.mark.parametrize(
    ("entry", "bits"),
    [
        ({"method": "none", "dtype": "float32"}, 32),
        ({"method": "none"}, 16),
        ({"method": "gptq", "bits": 8, "group_size": -1}, 8),
        ({"method": "gptq", "bits": 4, "group_size": 32}, 4.625),
        ({"method": "awq", "group_size": 128}, 4 + 20 / 128),
        ({"method": "fp8"}, 8),
        ({"method": "nf4"}, 4.5),
    ],
)
def test_bits_of_a_stored_weight(entry, bits):
    assert precision(**entry).stored_bits == bits


def test_what_an_engine_reads_shapes_no_weights():
    asked = Precision.of("p", ENTRIES["gptq"])
    weights = {key: GPTQ[key] for key in METHODS["gptq"].parameters}
    assert asked.parameters == weights
    recipe = {"method": "gptq", "tool": "gptqmodel", **weights, "calibration": {"count": 8}}
    assert asked.recipe() == recipe
    assert precision(method="none", dtype="float32").recipe() == {"method": "none"}


def test_a_tool_is_the_methods_first_unless_another_is_named():
    assert precision(**GPTQ).tool == "gptqmodel"
    assert precision(**{**GPTQ, "tool": "auto-gptq"}).tool == "auto-gptq"
    assert precision(**ENTRIES["awq"]).tool == "llm-compressor"


def test_only_methods_that_quantize_on_load_say_so():
    found = {name: Precision.of("p", entry).quantize_on_load for name, entry in ENTRIES.items()}
    assert {name for name, value in found.items() if value} == {"nf4"}
    from quantrag.checkpoints.loading import ON_LOAD

    assert found["nf4"] in ON_LOAD


def test_the_number_formats_of_the_engine_have_rows_of_their_own():
    assert precision(method="none", dtype="float16").kinds == ["16-bit", "float16"]
    assert precision(method="fp8", kv_cache_dtype="fp8").kinds == ["fp8", "kv-fp8"]


def gptq(**changes) -> dict:
    return {"method": "gptq", "bits": 4, "group_size": 64, "sym": True, **changes}


@pytest.mark.parametrize(
    ("entry", "engine", "device", "reason"),
    [
        (gptq(), "vllm", "cpu", None),
        (gptq(bits=8), "vllm", "cuda", None),
        (gptq(bits=8, group_size=16, sym=False), "vllm", "cpu", None),
        (gptq(bits=3), "vllm", "cuda", "no CUDA kernel for GPTQ with 3 or 2 bits, only 4 or 8"),
        (gptq(sym=False), "vllm", "cuda", "set sym: true"),
        (gptq(group_size=256), "vllm", "cuda", "only for group sizes -1, 32, 64 and 128"),
        (gptq(bits=3), "openai", "cpu", None),
        (gptq(tool="auto-gptq"), "transformers", "cpu", "only on CUDA; take tool: gptqmodel"),
        (gptq(tool="auto-gptq"), "vllm", "cuda", None),
        ({"method": "none"}, "vllm", "cpu", None),
        ({"method": "none", "dtype": "float16"}, "vllm", "cpu", "take bfloat16"),
        ({"method": "published"}, "vllm", "cuda", None),
        ({"method": "nf4"}, "vllm", "cuda", "no longer loads through bitsandbytes"),
        ({"method": "nf4"}, "transformers", "cuda", None),
        ({"method": "awq"}, "vllm", "cpu", None),
        ({"method": "fp8"}, "vllm", "cpu", None),
        ({"method": "awq", "kv_cache_dtype": "fp8"}, "transformers", "cuda", "needs vllm"),
        ({"method": "awq", "kv_cache_dtype": "fp8"}, "openai", "cuda", None),
    ],
)
def test_every_row_that_a_precision_belongs_to_must_run(entry, engine, device, reason):
    refusal = precision(**entry).support(engine, device).refusal
    assert refusal is None if reason is None else reason in refusal


def test_the_registry_is_light(root):
    """The Snakefile reads it before any job."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); import quantrag.quantization.precisions; "
    code += "import json; print(json.dumps([n for n in sys.modules if '.' not in n]))"
    result = subprocess.run(
        [sys.executable, "-S", "-c", code, root / "workflow" / "scripts"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(json.loads(result.stdout)) - {*sys.stdlib_module_names, "__main__"} == {"quantrag"}
