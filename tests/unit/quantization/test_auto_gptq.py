"""What AutoGPTQ cannot do is said before it starts; what it writes is read in tests/e2e."""

import json

import pytest
import torch
from safetensors.torch import save_file

from quantrag.errors import UserError
from quantrag.quantization.auto_gptq import quantize_auto_gptq


@pytest.mark.parametrize(
    ("config", "texts", "reason"),
    [
        ({}, [], "no calibration texts"),
        ({"auto_map": {"AutoConfig": "mine.Config"}}, [[1]], "AutoGPTQ would run"),
        ({"rope_parameters": {"rope_theta": 1e5}}, [[1]], "written by transformers 5"),
        ({}, [[1]], "no CUDA GPU"),
    ],
)
def test_auto_gptq_says_what_it_cannot_do_before_it_starts(
    tmp_path, monkeypatch, config, texts, reason
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    save_file({"lm_head.weight": torch.zeros(2, 2)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=reason):
        quantize_auto_gptq(tmp_path, tmp_path / "quantized", texts, {"group_size": 128})


def test_auto_gptq_has_an_environment_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    save_file({"lm_head.weight": torch.zeros(2, 2)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match="--sdm conda"):
        quantize_auto_gptq(tmp_path, tmp_path / "quantized", [[1]], {"group_size": 128})
