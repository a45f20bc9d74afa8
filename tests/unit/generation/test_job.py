"""What decides an answer is in the journal's keys, and nothing else."""

import pytest

from generation_samples import END, fake_checkpoint, make_spec, settings
from quantrag.generation.job import completion_keys, job_identity
from quantrag.quantization.hardware import Hardware
from quantrag.runtime.provenance import content_hash

#: Settings of the job, and the hash of its identity and a key as they always were. A change of
#: one of these, also by a new option's default, generates everybody's completions again.
KEYS = {
    "vllm": (
        {
            "settings": {"engine": "vllm", "device": "cuda", "vllm": {"tensor_parallel_size": 2}},
            "dtype": "auto",
            "kv_cache_dtype": "fp8",
            "needs": Hardware((8, 9), "FP8 tensor cores"),
        },
        "8398793205e06e5e52df3e5f57208fab",
        "5dc51ad8af275a83af849b888bb3fe85",
    ),
    "nf4": (
        {
            "settings": {"engine": "transformers", "device": "cuda", "max_new_tokens": 32},
            "dtype": "bfloat16",
            "quantize_on_load": "nf4",
        },
        "7c16e5a2ebbf52adb266ebbc82863c03",
        "e8aab0b37c8ee0ba445fcbb920954c39",
    ),
    "openai": (
        {"settings": {"engine": "openai", "openai": {"concurrency": 3}}, "dtype": "auto"},
        "092fc9326e7f8e03ad3453851061659d",
        "63b679a2b4829b541a8c583ca7290e6a",
    ),
}


@pytest.mark.parametrize("name", KEYS)
def test_journal_keys_are_what_they_always_were(tmp_path, monkeypatch, name):
    changes, identity, key = KEYS[name]
    monkeypatch.setattr("importlib.metadata.version", lambda distribution: "1.2.3")
    checkpoint = fake_checkpoint(tmp_path / "checkpoint")
    original = fake_checkpoint(tmp_path / "original", b"original")
    if name != "nf4":
        (original / "generation_config.json").write_text('{"eos_token_id": [7, 5]}')
    spec = make_spec(
        checkpoint,
        **{**changes, "original": original, "settings": settings(**changes["settings"])},
    )
    base = content_hash(job_identity(spec))
    assert base == identity
    assert completion_keys(base, ["0123"]) == [key]


def test_batch_invariance_decides_answers_where_it_is_on(tmp_path):
    checkpoint = fake_checkpoint(tmp_path)
    identities = [
        job_identity(
            make_spec(checkpoint, settings=settings(device="cuda", vllm={"batch_invariant": on}))
        )
        for on in (False, True)
    ]
    assert "batch_invariant" not in identities[0]["options"]
    assert identities[1]["options"].pop("batch_invariant") is True
    assert identities[0] == identities[1]


def test_stop_tokens_come_from_the_original_checkpoint(tmp_path):
    original = fake_checkpoint(tmp_path / "original")
    (original / "generation_config.json").write_text('{"eos_token_id": [7, 5]}')
    spec = make_spec(fake_checkpoint(tmp_path / "quantized"), original=original)
    assert spec.sampling.stop_token_ids == (END, 5, 7)


def test_a_server_chooses_the_number_format_itself(tmp_path, monkeypatch):
    monkeypatch.setattr("quantrag.checkpoints.number_formats.flags", frozenset)
    checkpoint = fake_checkpoint(tmp_path)
    served = make_spec(checkpoint, settings=settings(engine="openai"), dtype="auto")
    assert served.dtype == "auto"
    assert make_spec(checkpoint, dtype="auto").dtype == "float32"
