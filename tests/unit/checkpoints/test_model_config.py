"""Context lengths in all the ways in which models state them."""

import pytest

from quantrag.checkpoints.model_config import context_limit, text_config
from quantrag.errors import UserError

LLAMA = {"max_position_embeddings": 4096}


@pytest.mark.parametrize(
    ("config", "limit"),
    [
        ({}, None),
        (LLAMA, 4096),
        ({"n_positions": 1024}, 1024),
        ({"max_seq_len": 2048}, 2048),
        ({"seq_length": 8192}, 8192),
        ({"max_position_embeddings": 8192, "model_max_length": 131072}, 131072),
        ({"max_position_embeddings": 4096, "max_sequence_length": 2048}, 2048),
        ({"max_position_embeddings": None, "n_positions": 1024}, 1024),
        ({"max_position_embeddings": "4096"}, 4096),
        (LLAMA | {"rope_scaling": None}, 4096),
        (LLAMA | {"rope_scaling": {"type": "linear", "factor": 4.0}}, 16384),
        (LLAMA | {"rope_scaling": {"rope_type": "linear", "factor": 2}}, 8192),
        (LLAMA | {"rope_scaling": {"type": "dynamic", "factor": 2.0}}, 8192),
        (LLAMA | {"rope_parameters": {"rope_type": "linear", "factor": 4.0}}, 16384),
        (LLAMA | {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4}}, 4096),
        (LLAMA | {"rope_scaling": {"type": "linear", "factor": None}}, 4096),
        (
            LLAMA
            | {
                "rope_parameters": {
                    "full_attention": {"rope_type": "linear", "factor": 8.0},
                    "sliding_attention": {"rope_type": "default"},
                }
            },
            32768,
        ),
        (LLAMA | {"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, 4096),
        (LLAMA | {"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}, 4096),
        (LLAMA | {"rope_scaling": {"type": "longrope", "factor": 4.0}}, 4096),
        (
            LLAMA
            | {"model_type": "gemma3_text", "rope_scaling": {"rope_type": "linear", "factor": 8.0}},
            4096,
        ),
        ({"text_config": LLAMA, "max_position_embeddings": 77}, 4096),
        ({"text_config": None} | LLAMA, 4096),
        ({"text_config": {}} | LLAMA, 4096),
    ],
)
def test_the_longest_text(config, limit):
    assert context_limit(config)[0] == limit


def test_the_key_is_named():
    assert context_limit({"n_positions": 1024})[1] == "n_positions"
    scaled = LLAMA | {"rope_scaling": {"type": "linear", "factor": 4.0}}
    assert context_limit(scaled)[1] == "max_position_embeddings 4096, scaled by 4"


@pytest.mark.parametrize(
    "config",
    [
        {"max_position_embeddings": "long"},
        LLAMA | {"rope_scaling": {"type": "ntk", "factor": "big"}},
    ],
)
def test_what_is_no_number_is_one_clear_error(config):
    with pytest.raises(UserError, match="is not a number"):
        context_limit(config)


def test_the_language_models_section():
    assert text_config({"llm_config": LLAMA}) == LLAMA
    assert text_config(LLAMA) == LLAMA
