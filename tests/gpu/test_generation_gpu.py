"""Generation on a CUDA GPU: the same answers, and what only a GPU can tell."""

import json
from dataclasses import replace

import pytest

from generation_samples import make_job, run, settings, tiny_checkpoint
from quantrag.errors import UserError
from quantrag.tables import read_table

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU"),
]
KS = ["0", "1", "3"]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "checkpoint")


def gpu_job(checkpoint, engine: str, **vllm):
    chosen = settings(
        engine=engine,
        device="cuda",
        max_new_tokens=16,
        vllm={"enforce_eager": True, "gpu_memory_utilization": 0.3, **vllm},
    )
    return make_job(checkpoint, dtype="bfloat16", settings=chosen)


@pytest.mark.parametrize("engine", ["vllm", "transformers"])
def test_a_whole_job_and_its_costs(engine, checkpoint, tmp_path):
    cells = run(tmp_path, KS, job=gpu_job(checkpoint, engine))
    for path in cells:
        assert read_table(path).finish_reason.isin(["stop", "length"]).all()
    costs = json.loads((tmp_path / "costs/fp32.json").read_text())
    assert costs["peak_memory_gib"] > 0
    assert costs["energy_wh"] is not None
    environment = costs["provenance"]["environments"][0]
    assert environment["driver"]
    assert environment["device"] == costs["device"] == torch.cuda.get_device_name(0)


def test_the_noise_floor_answers_the_same_prompts(checkpoint, tmp_path):
    job = gpu_job(checkpoint, "vllm")
    first = run(tmp_path, KS, job=job)
    second = run(tmp_path, KS, job=replace(job, precision="noise-floor", shuffle_seed=0))
    for one, other in zip(first, second, strict=True):
        assert read_table(one).prompt_hash.equals(read_table(other).prompt_hash)


def test_a_model_that_does_not_fit_is_said_before_it_is_loaded(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr("quantrag.engines.vllm_engine.weight_bytes", lambda folder: 10**13)
    with pytest.raises(UserError, match="does not fit into the GPU's free memory"):
        run(tmp_path, KS, job=gpu_job(checkpoint, "vllm"))
