"""The engine `transformers` decodes greedily, whatever a checkpoint says of itself."""

import json
import shutil
from dataclasses import replace

import pytest
from safetensors.torch import load_file, save_file

from generation_samples import make_spec, settings, tiny_checkpoint
from quantrag.engines.base import Request
from quantrag.engines.transformers_engine import TransformersEngine
from quantrag.errors import UserError

PROMPTS = [[1, 50, 60, 70], [1, 90, 100]]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "checkpoint")


def answers(folder, original=None):
    chosen = settings(engine="transformers", max_new_tokens=12)
    spec = make_spec(folder, original=original or folder, settings=chosen, max_model_len=64)
    engine = TransformersEngine(replace(spec, likelihood=True))
    engine.load()
    try:
        requests = [Request(str(i), ids, "") for i, ids in enumerate(PROMPTS)]
        return [
            (answer.text, answer.finish_reason, answer.token_ids, answer.logprobs)
            for answer in engine.generate(requests)
        ]
    finally:
        engine.close()


def with_files(checkpoint, folder, **contents):
    shutil.copytree(checkpoint, folder)
    for name, content in contents.items():
        path = folder / f"{name}.json"
        known = json.loads(path.read_text()) if name == "config" else {}
        path.write_text(content if isinstance(content, str) else json.dumps(known | content))
    return folder


@pytest.mark.parametrize(
    "stated",
    [
        {"do_sample": True, "temperature": 0.6, "top_p": 0.9, "top_k": 5, "min_p": 0.1},
        {"repetition_penalty": 1.3, "encoder_repetition_penalty": 1.2},
        {"num_beams": 4, "length_penalty": 2.0, "early_stopping": True},
        {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.5},
        {"no_repeat_ngram_size": 1},
        {"min_new_tokens": 12},
        {"min_length": 12},
        {"max_length": 5},
        {"suppress_tokens": list(range(3, 290))},
        {"begin_suppress_tokens": list(range(3, 290))},
        {"bad_words_ids": [[i] for i in range(3, 290)]},
        {"sequence_bias": [[[40], 50.0]]},
        {"forced_bos_token_id": 40},
        {"forced_eos_token_id": 40},
        {"exponential_decay_length_penalty": [1, 2.0]},
        {"guidance_scale": 1.5},
        {"penalty_alpha": 0.6, "top_k": 4},
        {"renormalize_logits": True, "typical_p": 0.5, "epsilon_cutoff": 0.1, "eta_cutoff": 0.1},
        {"max_time": 1e-9},
        {"return_dict_in_generate": True, "output_scores": True},
        {"num_return_sequences": 2},
        {"prompt_lookup_num_tokens": 3},
        {"stop_strings": ["w4"]},
        {"use_cache": False},
        {"cache_implementation": "static"},
        {"eos_token_id": 40, "pad_token_id": 900},
        {"watermarking_config": {"bias": 9.0, "greenlist_ratio": 0.5}},
    ],
    ids=lambda stated: "+".join(stated),
)
def test_a_checkpoints_own_settings_change_no_answer(checkpoint, tmp_path, stated):
    expected = answers(checkpoint)
    assert answers(with_files(checkpoint, tmp_path / "a", generation_config=stated)) == expected


@pytest.mark.parametrize("content", ["{broken", "[]", '{"temperature": "hot"}', '{"num_beams": 0}'])
def test_a_malformed_generation_config_changes_no_answer(checkpoint, tmp_path, content):
    folder = with_files(checkpoint, tmp_path / "a", generation_config=content)
    assert answers(folder, original=checkpoint) == answers(checkpoint)


@pytest.mark.parametrize("stated", [{"num_beams": 4}, {"forced_eos_token_id": 40}])
def test_settings_of_generation_in_the_config_change_no_answer(checkpoint, tmp_path, stated):
    folder = with_files(checkpoint, tmp_path / "a", config=stated)
    (folder / "generation_config.json").unlink(missing_ok=True)
    assert answers(folder) == answers(checkpoint)


def test_weights_that_are_not_there_are_not_drawn_at_random(checkpoint, tmp_path):
    folder = with_files(checkpoint, tmp_path / "a")
    weights = load_file(folder / "model.safetensors")
    weights.pop("model.layers.1.mlp.up_proj.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"lacks 1 weights.*layers\.1\.mlp\.up_proj"):
        answers(folder)
