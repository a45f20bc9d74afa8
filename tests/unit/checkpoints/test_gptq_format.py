"""AutoGPTQ's format: integers, the weights that they stand for, and what was lost."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from quantrag.checkpoints.gptq_format import (
    dense_state,
    dequantize,
    quantized_modules,
    unpack,
    weight_errors,
)

BITS = [2, 3, 4, 8]


def pack(values: np.ndarray, bits: int) -> torch.Tensor:
    """Write integers [n, c] as a stream of bits per column, lowest bit first, in 32-bit words."""
    stream = ((values[:, None, :] >> np.arange(bits)[None, :, None]) & 1).astype(np.uint8)
    stream = stream.reshape(-1, values.shape[1])
    words = np.packbits(stream, axis=0, bitorder="little")
    words = words.T.reshape(values.shape[1], -1, 4).copy().view("<u4")[..., 0].T
    return torch.from_numpy(np.ascontiguousarray(words).view(np.int32))


@given(st.sampled_from(BITS), st.integers(1, 3), st.integers(1, 5), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_unpacking_inverts_packing(bits, blocks, columns, seed):
    values = np.random.default_rng(seed).integers(0, 2**bits, (32 * blocks, columns))
    assert np.array_equal(unpack(pack(values, bits), bits).numpy(), values)


@pytest.mark.parametrize("bits", BITS)
def test_dequantized_weights_are_integer_minus_zero_times_scale(bits):
    generator = np.random.default_rng(bits)
    inputs, outputs, group = 64, 32, 32
    integers = generator.integers(0, 2**bits, (inputs, outputs))
    zeros = generator.integers(1, 2**bits, (inputs // group, outputs))
    scales = generator.random((inputs // group, outputs), dtype=np.float32)
    # Act-order: neighbouring inputs may be in different groups.
    groups = generator.permutation(np.repeat(np.arange(inputs // group), group))
    weight = dequantize(
        pack(integers, bits),
        pack((zeros - 1).T, bits).T,
        torch.from_numpy(scales),
        torch.from_numpy(groups.astype(np.int32)),
        bits,
    )
    expected = ((integers - zeros[groups]) * scales[groups]).T
    assert weight.shape == (outputs, inputs)
    np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-6)


def test_the_error_of_exactly_stored_weights_is_zero_and_of_halved_ones_a_half(tmp_path):
    bits, group = 4, 32
    integers = np.random.default_rng(0).integers(0, 16, (64, 32))
    zeros = np.full((2, 32), 8)
    scales = torch.rand(2, 32, generator=torch.Generator().manual_seed(0)).half()
    groups = torch.arange(64, dtype=torch.int32) // group
    weight = torch.from_numpy(integers - 8) * scales.float()[groups.long()]
    quantized = tmp_path / "quantized"
    quantized.mkdir()
    layers = {
        f"{name}.{part}": tensor
        for name in ("a", "b", "c")
        for part, tensor in {
            "qweight": pack(integers, bits),
            "qzeros": pack((zeros - 1).T, bits).T.contiguous(),
            "scales": scales.clone(),
            "g_idx": groups.clone(),
        }.items()
    }
    save_file(layers, quantized / "model.safetensors")
    settings = {"bits": bits, "checkpoint_format": "gptq"}
    (quantized / "config.json").write_text(json.dumps({"quantization_config": settings}))
    original = tmp_path / "original"
    original.mkdir()
    exact = weight.T.contiguous().float()
    save_file({"a.weight": exact, "b.weight": 2 * exact}, original / "model.safetensors")

    assert sorted(quantized_modules(quantized)) == ["a", "b", "c"]
    errors = {entry["module"]: entry for entry in weight_errors(original, quantized)}
    assert errors["a"]["relative_error"] == 0
    assert errors["b"]["relative_error"] == pytest.approx(0.5)
    assert errors["c"]["relative_error"] is None
    assert errors["a"]["shape"] == [32, 64]

    # Other readers get the same weights under their usual names.
    state = dense_state(quantized, torch.float32)
    assert sorted(state) == ["a.weight", "b.weight", "c.weight"]
    assert torch.equal(state["a.weight"], exact)
