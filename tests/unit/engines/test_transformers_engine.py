"""The reference engine answers as a single prompt would be, and says what it cannot load."""

import json
from dataclasses import replace

import pytest

import fake_nvml
from generation_samples import (
    END,
    answers,
    make_job,
    make_spec,
    requests,
    run,
    settings,
    tiny_checkpoint,
)
from quantrag.engines.base import Sampling
from quantrag.engines.transformers_engine import TransformersEngine
from quantrag.errors import UserError
from quantrag.tables import read_table


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "checkpoint")


def make(checkpoint, batch_size=8, **changes):
    chosen = settings(
        engine="transformers",
        max_new_tokens=12,
        first_token_candidates=5,
        transformers={"batch_size": batch_size},
    )
    spec = make_spec(checkpoint, settings=chosen, max_model_len=300)
    return TransformersEngine(replace(spec, **changes))


def test_a_padded_batch_answers_like_single_prompts(checkpoint):
    batch = answers(make(checkpoint), requests())
    single = answers(make(checkpoint, batch_size=1), requests())
    assert {k: c.text for k, c in batch.items()} == {k: c.text for k, c in single.items()}
    assert len({completion.text for completion in batch.values()}) > 1
    for key, completion in batch.items():
        tokens, logprobs = zip(*completion.first_token_logprobs, strict=True)
        assert len(tokens) == 5
        assert list(logprobs) == sorted(logprobs, reverse=True)
        assert completion.text.split()[0] == tokens[0]
        expected = [logprob for _, logprob in single[key].first_token_logprobs]
        assert logprobs == pytest.approx(expected, abs=1e-4)


def test_an_answer_ends_at_a_stop_token(checkpoint):
    asked = requests(1)
    whole = answers(make(checkpoint), asked)["r0"]
    assert (whole.finish_reason, whole.output_tokens) == ("length", 12)
    third = int(whole.text.split()[2].removeprefix("w"))
    sampling = Sampling(12, 0, (END, third))
    short = answers(make(checkpoint, sampling=sampling), asked)["r0"]
    assert short.finish_reason == "stop"
    assert short.output_tokens <= 3
    assert short.first_token_logprobs == []


def test_a_whole_job(checkpoint, tmp_path):
    job = make_job(checkpoint, settings=settings(engine="transformers", max_new_tokens=4))
    cells = run(tmp_path, ["0", "1"], job=job)
    assert set(read_table(cells[0]).output_tokens) <= {1, 2, 3, 4}
    costs = json.loads((tmp_path / "costs/fp32.json").read_text())
    assert costs["engine"] == "transformers"
    report = costs["provenance"]["engine_reports"][0]
    assert report["model_dtype"] == "float32"
    assert report["quantization"] is None


def test_a_damaged_checkpoint_is_one_clear_error(checkpoint, tmp_path):
    folder = tmp_path / "cut"
    folder.mkdir()
    for path in checkpoint.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(UserError, match="cut off"):
        make(folder).load()


def test_an_unknown_architecture_is_one_clear_error(checkpoint, tmp_path):
    folder = tmp_path / "odd"
    folder.mkdir()
    for path in checkpoint.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "config.json").write_text('{"model_type": "unheard-of", "eos_token_id": 2}')
    with pytest.raises(UserError, match=r"could not load .*odd"):
        make(folder).load()


def test_a_kv_cache_type_is_refused(checkpoint):
    with pytest.raises(UserError, match="kv_cache_dtype fp8 needs"):
        make(checkpoint, kv_cache_dtype="fp8").load()


def test_no_gpu_is_one_clear_error(checkpoint, monkeypatch):
    fake_nvml.none(monkeypatch)
    with pytest.raises(UserError, match=r"generation\.device is cuda"):
        make(checkpoint, device="cuda").load()
