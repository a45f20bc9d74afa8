"""Group sizes and calibration texts are checked before any work."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from quantrag.errors import UserError
from quantrag.quantization.checks import block_shapes, check_group_size, check_texts


def write_original(folder: Path, inputs: int = 64) -> Path:
    folder.mkdir()
    generator = torch.Generator().manual_seed(0)
    tensors = {
        "model.layers.0.mlp.up_proj.weight": torch.randn(32, inputs, generator=generator),
        "model.layers.0.mlp.down_proj.weight": torch.randn(inputs, 32, generator=generator),
        "model.layers.0.input_layernorm.weight": torch.ones(inputs),
        "model.embed_tokens.weight": torch.ones(50, inputs),
        "lm_head.weight": torch.ones(50, inputs),
    }
    save_file(tensors, folder / "model.safetensors")
    return folder


def test_only_the_matrices_inside_blocks_are_quantized(tmp_path):
    assert block_shapes(write_original(tmp_path / "original")) == {
        "model.layers.0.mlp.down_proj.weight": (64, 32),
        "model.layers.0.mlp.up_proj.weight": (32, 64),
    }


@pytest.mark.parametrize("group_size", [16, 32, -1])
def test_group_sizes_that_divide_every_layer_pass(tmp_path, group_size):
    check_group_size(write_original(tmp_path / "original"), group_size)


def test_a_group_size_that_does_not_divide_names_those_that_do(tmp_path):
    folder = write_original(tmp_path / "original", inputs=576)
    with pytest.raises(UserError) as raised:
        check_group_size(folder, 128)
    message = str(raised.value)
    assert "group_size 128 does not divide the input size" in message
    assert "Sizes that divide every layer: 16, 32, -1" in message


def test_no_calibration_texts_is_one_clear_error():
    check_texts([[1, 2]])
    with pytest.raises(UserError, match="no calibration texts"):
        check_texts([])
