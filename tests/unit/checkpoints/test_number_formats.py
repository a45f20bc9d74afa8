"""The number format that a model is computed in."""

import json

import pytest

from quantrag.checkpoints.number_formats import computation_dtype

AVX2, AVX512 = frozenset({"avx2"}), frozenset({"avx2", "avx512f", "avx512_bf16"})


@pytest.mark.parametrize(
    ("dtype", "stored", "has", "expected"),
    [
        ("auto", "bfloat16", AVX512, "bfloat16"),
        ("auto", "bfloat16", AVX2, "float32"),
        ("auto", "float16", AVX512, "bfloat16"),
        ("auto", "float32", AVX512, "float32"),
        ("bfloat16", "float32", AVX2, "bfloat16"),
        ("auto", "bfloat16", frozenset(), "float32"),
    ],
)
def test_auto_is_what_the_processor_computes_fast(tmp_path, dtype, stored, has, expected):
    for key in ("dtype", "torch_dtype"):
        (tmp_path / "config.json").write_text(json.dumps({key: stored}))
        assert computation_dtype(dtype, tmp_path, "cpu", has) == expected
        assert computation_dtype(dtype, tmp_path, "cuda", has) == dtype
