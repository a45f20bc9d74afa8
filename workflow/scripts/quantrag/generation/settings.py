"""The configuration's section `generation`."""

from typing import Literal

from pydantic import Field, model_validator

from quantrag.engines.settings import OpenAISettings, TransformersSettings, VllmSettings
from quantrag.section import Integer, Mistake, Section


class GenerationSettings(Section):
    """How prompts are answered: the same for every precision, so that nothing but the precision
    differs. Decoding is greedy."""

    engine: Literal["vllm", "transformers", "openai"] = Field(
        "vllm",
        description="What runs the model: `vllm`, `transformers` (slow; a reference) or `openai` "
        "(any server with an OpenAI-compatible completions endpoint, its address in the "
        "environment variable `OPENAI_BASE_URL` and its key in `OPENAI_API_KEY`).",
    )
    device: Literal["cuda", "cpu"] = Field(
        "cuda",
        description="Where the model runs. With `openai` it runs elsewhere, and this says nothing.",
    )
    max_new_tokens: Integer = Field(
        64, ge=1, description="Most tokens of an answer (the paper's 64)."
    )
    likelihood: Literal["gold+baseline", "gold", "none"] = Field(
        "gold+baseline",
        description="What is scored beside the answers, while the prompt is in the engine's cache: "
        "how likely the gold is (of ratings and labels: every allowed answer), and with "
        "`gold+baseline` the baseline's answer under every precision, for which the baseline runs "
        "first.",
    )
    vllm: VllmSettings = Field(default_factory=VllmSettings)
    transformers: TransformersSettings = Field(default_factory=TransformersSettings)
    openai: OpenAISettings = Field(default_factory=OpenAISettings)

    @model_validator(mode="after")
    def _check_batch_invariant(self) -> "GenerationSettings":
        if self.vllm.batch_invariant and (self.engine, self.device) == ("vllm", "cpu"):
            message = "true, but device is cpu, where vLLM has no such kernels. Allowed: false"
            raise Mistake(message, "vllm", "batch_invariant")
        return self
