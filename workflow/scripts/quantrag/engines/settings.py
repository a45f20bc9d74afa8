"""The configuration's sections of the engines, under `generation`."""

from typing import Literal

from pydantic import Field

from quantrag.section import Integer, Line, Number, Options, Section


class VllmSettings(Section):
    """Settings of the engine `vllm`; `null` leaves a choice to vLLM."""

    tensor_parallel_size: Integer = Field(1, ge=1, description="GPUs that share one model.")
    gpu_memory_utilization: Number = Field(
        0.9, gt=0, le=1, description="Part of a GPU's memory that vLLM may use."
    )
    kv_cache_gib: Number = Field(
        2, gt=0, description="Memory for the key-value cache when `device` is `cpu`, in GiB."
    )
    max_model_len: Integer | None = Field(
        None,
        ge=1,
        description="Longest prompt and answer in tokens; `null` takes the longest of the "
        "experiment.",
    )
    max_num_seqs: Integer | None = Field(None, ge=1, description="Most prompts in one batch.")
    max_num_batched_tokens: Integer | None = Field(
        None, ge=1, description="Most tokens in one step of the engine."
    )
    block_size: Literal[None, 8, 16, 32, 64, 128] = Field(
        None,
        description="Tokens in one block of the key-value cache; the prefix cache shares whole "
        "blocks. (vLLM's own choice is 16 on GPUs, 128 on CPUs.)",
    )
    prefix_caching: bool = Field(True, description="Compute the shared beginning of prompts once.")
    enforce_eager: bool = Field(
        False,
        description="Skip compilation and CUDA graphs: a start of seconds instead of a minute, and "
        "slower steps. For small runs.",
    )
    batch_invariant: bool = Field(
        False,
        description="Compute so that an answer doesn't depend on what else is in its batch: the "
        "noise floor is then zero. Slower; only on GPUs of compute capability 8.0 or newer. What "
        "vLLM supports at which precision is in docs/generation.md.",
    )
    unpack_gptq: bool = Field(
        False,
        description="On a CPU, unpack 4-bit weights when they are loaded, though vLLM has a kernel "
        "for them: equal products up to rounding, prompts are read in about 60% of the time, and "
        "the memory is that of 16 bits. Where there is no kernel they are unpacked anyway; a GPU "
        "has one.",
    )
    extra: Options = Field(
        {},
        description="Any other engine argument of vLLM, by its Python name, such as "
        "`pipeline_parallel_size`.",
    )


class TransformersSettings(Section):
    """Settings of the engine `transformers`."""

    batch_size: Integer = Field(8, ge=1, description="Prompts in one batch.")
    attention: Literal["sdpa", "eager", "flash_attention_2"] = Field(
        "sdpa", description="Implementation of the attention."
    )


class OpenAISettings(Section):
    """Settings of the engine `openai`. The base URL may hold `{model}` and `{precision}`, for a
    server per precision."""

    served_model: Line = Field(
        "{model}-{precision}",
        description="The name by which the server knows the checkpoint; `{model}` and "
        "`{precision}` stand for the config's names. A server that serves another model is "
        "refused.",
    )
    prompt_as: Literal["token_ids", "text"] = Field(
        "token_ids",
        description="`token_ids` sends exactly the tokens that were counted (vLLM takes them); "
        "`text` is for servers that take only text, and tokenize it themselves.",
    )
    concurrency: Integer = Field(64, ge=1, description="Requests under way at the same time.")
    retries: Integer = Field(
        6,
        ge=0,
        description="How often a failed request is repeated, each time after twice the pause.",
    )
    timeout_s: Number = Field(
        600, gt=0, description="Seconds after which a request counts as failed."
    )
