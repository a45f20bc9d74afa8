"""vLLM: continuous batching and a prefix cache, on GPUs and on CPUs.

The engine is stepped here, not through `LLM.generate`, because that returns only when the last
prompt is done: a completion has to reach the journal when it is finished.
"""

import difflib
import itertools
import logging
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from quantrag.checkpoints.folder import read_config, validate, weight_bytes
from quantrag.engines import sizing
from quantrag.engines.base import (
    Completion,
    Engine,
    EngineSpec,
    Likelihood,
    Request,
    by_stem,
)
from quantrag.engines.device import check_device
from quantrag.engines.vllm_cpu import loadable_checkpoint
from quantrag.engines.vllm_environment import set_environment
from quantrag.engines.vllm_reading import Reading, known_from
from quantrag.engines.vllm_worker import WorkerReport
from quantrag.errors import UserError
from quantrag.quantization.hardware import Hardware
from quantrag.runtime.gpu import compute_capability
from quantrag.runtime.telemetry import free_memory_bytes

log = logging.getLogger(__name__)

#: Requests handed to the engine ahead of those that it runs: enough that it never waits, few
#: enough that a grid of 80,000 prompts doesn't lie in memory as Python lists.
_AHEAD = 2
#: Reading a continuation comes before the prompts that wait: the cache forgets old blocks.
_AT_ONCE = -1
#: Arguments that this module sets itself; `extra` may not.
_RESERVED = {
    "scheduling_policy",
    "model",
    "tokenizer",
    "dtype",
    "kv_cache_dtype",
    "trust_remote_code",
    "allow_pickle",
    "load_format",
    "worker_extension_cls",
}


class VllmEngine(Engine):
    """vLLM in this process, or on several GPUs in worker processes of its own."""

    def __init__(self, spec: EngineSpec):
        super().__init__(spec)
        self._engine: Any = None
        self._tokenizer: Any = None
        self._unpacked = False

    def load(self) -> None:
        spec = self.spec
        validate(spec.checkpoint, chat_template=False)
        set_environment(spec)
        check_device(spec)
        _check_batch_invariant(spec)

        # Only now: vLLM reads the environment when it is imported, which takes ten seconds.
        import torch

        if spec.device == "cpu":
            torch.set_num_threads(spec.threads)
        from transformers import AutoTokenizer
        from vllm import SamplingParams
        from vllm.engine.arg_utils import EngineArgs
        from vllm.sampling_params import MAX_LOGPROB_TOKEN_IDS, RequestOutputKind
        from vllm.usage.usage_lib import UsageContext
        from vllm.v1.engine.llm_engine import LLMEngine

        known = {field.name for field in fields(EngineArgs)}
        for name in spec.options["extra"]:
            if name not in known or name in _RESERVED:
                near = difflib.get_close_matches(name, known - _RESERVED, 1)
                raise UserError(
                    f"generation.vllm.extra: {name!r} is "
                    + ("set by the workflow" if name in _RESERVED else "no vLLM engine argument")
                    + (f". Did you mean {near[0]!r}?" if near and name not in _RESERVED else ".")
                )
        with tempfile.TemporaryDirectory() as scratch:
            checkpoint = spec.checkpoint
            if spec.device == "cpu":
                checkpoint = loadable_checkpoint(
                    checkpoint,
                    spec.dtype,
                    _has_int4_kernel(),
                    Path(scratch),
                    unpack=spec.options["unpack_gptq"],
                )
                self._unpacked = checkpoint != spec.checkpoint
            _check_memory(spec, checkpoint)
            try:
                self._engine = LLMEngine.from_engine_args(
                    EngineArgs(**engine_arguments(spec, checkpoint)),
                    usage_context=UsageContext.LLM_CLASS,
                )
            except UserError:
                raise
            except Exception as error:
                raise UserError(
                    f"vLLM could not load {spec.checkpoint} (precision {spec.precision}): "
                    f"{_root_cause(error)}\nIts last log lines:\n{_own_log_tail()}"
                ) from error
        self._tokenizer = AutoTokenizer.from_pretrained(spec.original, local_files_only=True)
        self._most_asked = MAX_LOGPROB_TOKEN_IDS
        self._parameters = partial(
            SamplingParams,
            temperature=0.0,
            # vLLM would turn every token into text whose logprob it gives.
            detokenize=False,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion | Likelihood]:
        engine = self._engine
        waiting = iter(requests)
        in_flight = _AHEAD * engine.vllm_config.scheduler_config.max_num_seqs
        # By the key in the engine.
        answering: dict[str, Request] = {}
        reading: dict[str, Reading] = {}
        while True:
            room = in_flight - engine.get_num_unfinished_requests()
            for request in itertools.islice(waiting, max(room, 0)):
                if request.answer:
                    answering[request.key] = request
                    self._ask(request)
                else:
                    self._read(request, {}, reading)
            if not engine.has_unfinished_requests():
                return
            for output in engine.step():
                if not output.finished:
                    continue
                if (request := answering.pop(output.request_id, None)) is not None:
                    yield self._completion(output)
                    known = known_from(output.outputs[0], request.continuations)
                    # At once: the prompt's blocks are in the cache, which forgets old ones.
                    yield from self._read(request, known, reading)
                    continue
                this = reading.pop(output.request_id)
                if this.is_lost(output.num_cached_tokens or 0):
                    self._add_reading(this, reading, anew=True)
                else:
                    yield from this.likelihoods(output)

    def _ask(self, request: Request) -> None:
        """Have a prompt answered."""
        asked: dict[str, Any] = {}
        # All first tokens, then all second ones, and so on.
        places = itertools.zip_longest(*(c.token_ids for c in request.continuations))
        tokens = list(dict.fromkeys(t for place in places for t in place if t is not None))
        if tokens:
            # Where the answer goes the way of a continuation, it says how likely that is.
            asked["logprob_token_ids"] = tokens[: self._most_asked]
        elif self.spec.likelihood:
            asked["logprobs"] = 0  # those of the tokens that are chosen
        sampling = self.spec.sampling
        parameters = self._parameters(
            max_tokens=sampling.max_new_tokens,
            # Stopping is ours alone, by the ids of the model's original checkpoint.
            ignore_eos=True,
            stop_token_ids=list(sampling.stop_token_ids),
            **asked,
        )
        self._engine.add_request(request.key, {"prompt_token_ids": request.token_ids}, parameters)

    def _read(
        self,
        request: Request,
        known: Mapping[str, Likelihood],
        reading: "dict[str, Reading]",
    ) -> list[Likelihood]:
        """Have the continuations read of which the answer hasn't said all; the others' likelihoods.

        Args:
            request: the prompt and its continuations.
            known: the beginning of each continuation, by its key, as far as the answer went.
            reading: where what is to be read is entered, by the key in the engine.
        """
        found, left = [], []
        for continuation in request.continuations:
            own = known.get(continuation.key)
            if own is not None and len(own.logprobs) == len(continuation.token_ids):
                found.append(own)
            else:
                left.append(continuation)
        for group in by_stem(left):
            beginning = known.get(group[0].key, Likelihood("", [], []))
            self._add_reading(Reading(request.token_ids, group, beginning), reading)
        return found

    def _add_reading(
        self, this: "Reading", reading: "dict[str, Reading]", anew: bool = False
    ) -> None:
        asked: dict[str, Any] = {}
        if this.stem:
            # vLLM ignores the prefix cache for prompt logprobs unless it is told otherwise, since
            # what is cached has none. Here only those of the stem count, which comes last. With 1,
            # the most likely token is there too: vLLM's ranks count equals as better.
            asked = {"prompt_logprobs": 1, "skip_reading_prefix_cache": anew}
        tokens = list(dict.fromkeys(c.token_ids[-1] for c in this.continuations))
        parameters = self._parameters(max_tokens=1, logprob_token_ids=tokens, **asked)
        key = this.continuations[0].key
        reading[key] = this
        prompt = {"prompt_token_ids": [*this.prompt, *this.stem]}
        self._engine.add_request(key, prompt, parameters, priority=_AT_ONCE)

    def _completion(self, output: Any) -> Completion:
        answer = output.outputs[0]
        token_ids = [int(token) for token in answer.token_ids]
        chosen = zip(answer.logprobs or [], token_ids, strict=False)
        return Completion(
            key=output.request_id,
            text=self._tokenizer.decode(token_ids, skip_special_tokens=True),
            finish_reason=answer.finish_reason,
            prompt_tokens=len(output.prompt_token_ids),
            cached_tokens=output.num_cached_tokens,
            output_tokens=len(token_ids),
            token_ids=token_ids,
            logprobs=[float(entries[token].logprob) for entries, token in chosen],
        )

    def report(self) -> dict[str, Any]:
        config = self._engine.vllm_config
        workers = self._engine.collective_rpc("quantrag_report")
        # Where kinds of layers share the cache: at the longest prompt, as vLLM reckons.
        cache_tokens = workers[0]["cache_tokens"] or config.cache_config.kv_cache_size_tokens
        cache_bytes = sum(worker["cache_bytes"] for worker in workers)
        return {
            "engine": "vllm",
            "model_dtype": str(config.model_config.dtype).removeprefix("torch."),
            "kv_cache_dtype": str(config.cache_config.cache_dtype),
            "quantization": (
                read_config(self.spec.checkpoint)["quantization_config"]["quant_method"]
                if self._unpacked
                else config.model_config.quantization
            ),
            "unpacked": self._unpacked,
            "architecture": next(iter(config.model_config.architectures), None),
            "attention_block_size": config.cache_config.block_size,
            "kv_cache_blocks": config.cache_config.num_gpu_blocks,
            "max_num_seqs": config.scheduler_config.max_num_seqs,
            "max_num_batched_tokens": config.scheduler_config.max_num_batched_tokens,
            "tensor_parallel_size": config.parallel_config.tensor_parallel_size,
            "enforce_eager": config.model_config.enforce_eager,
            "batch_invariant": self.spec.options["batch_invariant"],
            # Every worker has the same layers.
            "kernels": workers[0]["kernels"],
            "loaded_weight_bytes": sum(worker["weight_bytes"] for worker in workers),
            "cache_bytes_per_token": cache_tokens and round(cache_bytes / cache_tokens),
            "cache_tokens": cache_tokens,
        }

    def close(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.engine_core.shutdown()


def engine_arguments(spec: EngineSpec, checkpoint: Path) -> dict[str, Any]:
    """vLLM's `EngineArgs` for a spec; what is None in the config is left to vLLM."""
    options = spec.options
    arguments: dict[str, Any] = {
        "model": str(checkpoint),
        "tokenizer": str(spec.original),
        "dtype": spec.dtype,
        "kv_cache_dtype": spec.kv_cache_dtype,
        "max_model_len": options["max_model_len"] or spec.max_model_len,
        "load_format": "safetensors",
        "trust_remote_code": False,
        "generation_config": "vllm",
        "disable_log_stats": True,
        "enable_prefix_caching": options["prefix_caching"],
        "scheduling_policy": "priority",
        "worker_extension_cls": f"{WorkerReport.__module__}.{WorkerReport.__qualname__}",
    }
    for name in (
        "tensor_parallel_size",
        "enforce_eager",
        "max_num_seqs",
        "max_num_batched_tokens",
        "block_size",
    ):
        if options[name] is not None:
            arguments[name] = options[name]
    if spec.device == "cpu":
        arguments["kv_cache_memory_bytes"] = int(options["kv_cache_gib"] * sizing.GIB)
    else:
        arguments["gpu_memory_utilization"] = options["gpu_memory_utilization"]
    return arguments | dict(options["extra"])


def _has_int4_kernel() -> bool:
    """Whether vLLM's build for this CPU multiplies by packed 4-bit weights (AVX-512 does)."""
    import torch
    from vllm.platforms import current_platform

    current_platform.import_kernels()
    return hasattr(torch.ops._C, "cpu_gemm_wna16")


def _check_batch_invariant(spec: EngineSpec) -> None:
    if not spec.options["batch_invariant"]:
        return
    needs = Hardware((8, 0), "vLLM's batch-invariant kernels")
    if refusal := needs.gpu_refusal(compute_capability()):
        raise UserError(f"generation.vllm.batch_invariant: {refusal}.")


def _check_memory(spec: EngineSpec, checkpoint: Path) -> None:
    free = free_memory_bytes(spec.device)
    if free is None:
        return
    config = read_config(checkpoint)
    weights = weight_bytes(checkpoint)
    dtype = spec.dtype if spec.kv_cache_dtype == "auto" else spec.kv_cache_dtype
    if spec.device == "cpu":
        budget = weights + int(spec.options["kv_cache_gib"] * sizing.GIB) + sizing.WORKSPACE_BYTES
        where = "generation.vllm.kv_cache_gib"
        if budget > free:
            raise UserError(
                f"Not enough memory: {weights / sizing.GIB:.1f} GiB of weights, "
                f"{spec.options['kv_cache_gib']} GiB of key-value cache "
                f"(generation.vllm.kv_cache_gib) and about 1 GiB of workspace are needed, "
                f"{free / sizing.GIB:.1f} GiB are free."
            )
    else:
        share = spec.options["gpu_memory_utilization"]
        budget = int(free * share)
        where = f"the GPU's free memory (generation.vllm.gpu_memory_utilization {share})"
    sizing.check_fit(
        config,
        weights,
        spec.options["max_model_len"] or spec.max_model_len,
        dtype,
        budget,
        spec.options["tensor_parallel_size"],
        where,
    )


def _root_cause(error: BaseException) -> str:
    """The first error of a chain on one line; a bare one with the place that raised it."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    text = str(error).strip()
    if not text and error.__traceback__:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        text = f"no message, raised in {frame.name} ({frame.filename}:{frame.lineno})"
    return f"{type(error).__name__}: {text.splitlines()[0] if text else 'no message'}"


def _own_log_tail(lines: int = 15) -> str:
    """The last lines of the file that standard error goes to, when it is one."""
    path = Path("/proc/self/fd/2")
    try:
        if not path.resolve().is_file():
            return "(standard error is not a file)"
        with open(path, "rb") as stream:
            stream.seek(max(0, path.stat().st_size - 20_000))
            text = stream.read().decode(errors="replace")
    except OSError as error:
        return f"(unreadable: {error})"
    return "\n".join(f"  {line}" for line in text.splitlines()[-lines:])
