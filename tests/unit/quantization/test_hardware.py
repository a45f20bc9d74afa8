"""What a machine lacks is named; where nothing is known of it, nothing is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantrag.quantization.hardware import ANY_HARDWARE, Hardware

CAPABILITIES = st.tuples(st.integers(5, 12), st.integers(0, 9))


@given(CAPABILITIES, CAPABILITIES)
def test_a_gpu_is_refused_by_an_older_capability_only(needed, has):
    refusal = Hardware(needed, "tensor cores").gpu_refusal(has)
    assert (refusal is None) == (has >= needed)
    if refusal:
        assert f"{needed[0]}.{needed[1]} is needed (tensor cores)" in refusal
        assert refusal.endswith(f"this GPU has {has[0]}.{has[1]}")


@pytest.mark.parametrize(
    ("needs", "flags", "refused"),
    [
        (Hardware(avx512=True), {"avx2"}, True),
        (Hardware(avx512=True), {"avx512f"}, False),
        (Hardware(avx512=True), set(), False),
        (Hardware((9, 0), "a GPU"), {"avx2"}, False),
    ],
)
def test_a_cpu_is_refused_without_avx512_only(needs, flags, refused):
    assert (needs.cpu_refusal(flags) is not None) == refused


def test_most_precisions_run_on_any_hardware():
    assert ANY_HARDWARE.gpu_refusal((5, 0)) is None
    assert ANY_HARDWARE.cpu_refusal({"sse2"}) is None
