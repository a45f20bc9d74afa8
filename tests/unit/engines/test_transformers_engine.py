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
from quantrag.engines.base import Continuation, Sampling
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
        transformers={"batch_size": batch_size},
    )
    spec = make_spec(checkpoint, settings=chosen, max_model_len=300)
    return TransformersEngine(replace(spec, **{"likelihood": True, **changes}))


def test_a_padded_batch_answers_like_single_prompts(checkpoint):
    batch = answers(make(checkpoint), requests())
    single = answers(make(checkpoint, batch_size=1), requests())
    assert {k: c.text for k, c in batch.items()} == {k: c.text for k, c in single.items()}
    assert len({completion.text for completion in batch.values()}) > 1
    for key, completion in batch.items():
        assert len(completion.logprobs) == len(completion.token_ids) == completion.output_tokens
        assert completion.logprobs == pytest.approx(single[key].logprobs, abs=1e-4)


def test_an_answer_ends_at_a_stop_token(checkpoint):
    asked = requests(1)
    whole = answers(make(checkpoint), asked)["r0"]
    assert (whole.finish_reason, whole.output_tokens) == ("length", 12)
    third = int(whole.text.split()[2].removeprefix("w"))
    sampling = Sampling(12, (END, third))
    short = answers(make(checkpoint, sampling=sampling, likelihood=False), asked)["r0"]
    assert short.finish_reason == "stop"
    assert short.output_tokens <= 3
    assert short.logprobs == []


def test_continuations_of_one_stem_are_scored_as_each_by_itself(checkpoint):
    (asked,) = requests(1)
    texts = [[7], [9], [7, 8, 9], [7, 8, 7], [11, 12]]
    scored = [Continuation(f"c{i}", ids) for i, ids in enumerate(texts)]
    together = answers(make(checkpoint), [replace(asked, continuations=tuple(scored))])
    single = answers(
        make(checkpoint),
        [replace(asked, key=c.key, answer=False, continuations=(c,)) for c in scored],
    )
    for continuation in scored:
        own, expected = together[continuation.key], single[continuation.key]
        assert own.logprobs == pytest.approx(expected.logprobs, abs=1e-5)
        assert own.top == expected.top
    # The model's own first token is the most likely one.
    first = together["r0"].token_ids[0]
    own = Continuation("own", [first])
    assert answers(make(checkpoint), [replace(asked, continuations=(own,))])["own"].top == [True]


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
