"""What fits is started, what does not is told what would."""

import pytest

from quantrag.engines import sizing
from quantrag.errors import UserError

LLAMA_7B = {
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "hidden_size": 4096,
}
WEIGHTS = int(13.5e9)


def test_bytes_per_token():
    # Llama-2-7B in 16 bits: half a MiB a token.
    assert sizing.kv_bytes_per_token(LLAMA_7B, "float16") == 2**19
    assert sizing.kv_bytes_per_token(LLAMA_7B, "fp8_e4m3") == 2**18
    assert sizing.kv_bytes_per_token({"text_config": LLAMA_7B}, "float32") == 2**20
    assert sizing.kv_bytes_per_token({"n_layer": 2}, "float16") is None


def test_what_fits_passes():
    sizing.check_fit(LLAMA_7B, WEIGHTS, 4096, "float16", 24 * 2**30)


def test_an_unknown_architecture_is_left_to_the_engine():
    sizing.check_fit({"n_layer": 2}, WEIGHTS, 4096, "float16", 1)


def test_a_shorter_context_more_gpus_or_fewer_bits_are_named():
    with pytest.raises(UserError) as caught:
        sizing.check_fit(LLAMA_7B, WEIGHTS, 8192, "float16", 16 * 2**30)
    message = str(caught.value)
    assert "12.6 GiB of weights and 4.0 GiB of key-value cache for 8192 tokens" in message
    assert "a max_model_len of at most 4970" in message
    assert "a tensor_parallel_size of 2" in message
    assert "a precision of 8 bits" in message


def test_weights_alone_too_large():
    with pytest.raises(UserError) as caught:
        sizing.check_fit(LLAMA_7B, WEIGHTS, 4096, "float16", 8 * 2**30)
    assert "max_model_len of" not in str(caught.value)
    assert "tensor_parallel_size of 4" in str(caught.value)


def test_a_quantized_checkpoint_gets_no_advice_to_quantize_to_the_same():
    config = {**LLAMA_7B, "quantization_config": {"bits": 4}}
    with pytest.raises(UserError) as caught:
        sizing.check_fit(config, int(4e9), 8192, "float16", 4 * 2**30)
    assert "precision of" not in str(caught.value)
