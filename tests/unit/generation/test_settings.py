"""The section `generation`."""

import pytest
from pydantic import ValidationError

from generation_samples import settings


def test_batch_invariance_is_refused_on_a_cpu():
    with pytest.raises(ValidationError, match=r"true, but device is cpu.* Allowed: false"):
        settings(device="cpu", vllm={"batch_invariant": True})


@pytest.mark.parametrize(
    "chosen", [{"device": "cuda"}, {"engine": "transformers"}, {"engine": "openai"}]
)
def test_batch_invariance_is_vllms_business_on_gpus(chosen):
    assert settings(**chosen, vllm={"batch_invariant": True})["vllm"]["batch_invariant"]
