"""What vLLM's engine is given in tests, and the environment that it is imported into."""

import os

from generation_samples import make_spec, settings
from quantrag.engines.vllm_environment import set_environment


def vllm_spec(checkpoint, **options):
    return make_spec(checkpoint, settings=settings(engine="vllm", vllm=options), max_model_len=300)


def of_process(monkeypatch, spec):
    """What decides whether vLLM starts a process of its own."""
    # Set first, so that it is put back.
    monkeypatch.setenv("VLLM_ENABLE_V1_MULTIPROCESSING", "")
    monkeypatch.delenv("VLLM_ENABLE_V1_MULTIPROCESSING")
    for name in (
        "HF_HUB_OFFLINE",
        "VLLM_NO_USAGE_STATS",
        "DO_NOT_TRACK",
        "VLLM_LOGGING_COLOR",
        "VLLM_BATCH_INVARIANT",
    ):
        monkeypatch.setenv(name, "")
    set_environment(spec)
    return os.environ.get("VLLM_ENABLE_V1_MULTIPROCESSING")
