"""vLLM: continuous batching and a prefix cache, on GPUs and on CPUs.

The engine is stepped here, not through `LLM.generate`, because that returns only when the last
prompt is done: a completion has to reach the journal when it is finished.
"""

import atexit
import difflib
import importlib.util
import itertools
import logging
import os
import shutil
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from quantrag.checkpoints.folder import read_config, validate, weight_bytes
from quantrag.engines import sizing
from quantrag.engines.base import (
    Completion,
    Continuation,
    Engine,
    EngineSpec,
    Likelihood,
    Request,
    by_stem,
)
from quantrag.engines.device import check_device
from quantrag.engines.vllm_cpu import loadable_checkpoint
from quantrag.engines.vllm_worker import WorkerReport
from quantrag.errors import UserError
from quantrag.quantization.hardware import Hardware
from quantrag.runtime.gpu import compute_capability
from quantrag.runtime.telemetry import free_memory_bytes

log = logging.getLogger(__name__)

GIB = 2**30
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
        _set_environment(spec)
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
                    checkpoint, spec.dtype, _has_int4_kernel(), Path(scratch)
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
        reading: dict[str, _Reading] = {}
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
                    known = _known(output.outputs[0], request.continuations)
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
        reading: "dict[str, _Reading]",
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
            self._add_reading(_Reading(request.token_ids, group, beginning), reading)
        return found

    def _add_reading(
        self, this: "_Reading", reading: "dict[str, _Reading]", anew: bool = False
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
        arguments["kv_cache_memory_bytes"] = int(options["kv_cache_gib"] * GIB)
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
        budget = weights + int(spec.options["kv_cache_gib"] * GIB) + sizing.WORKSPACE_BYTES
        where = "generation.vllm.kv_cache_gib"
        if budget > free:
            raise UserError(
                f"Not enough memory: {weights / GIB:.1f} GiB of weights, "
                f"{spec.options['kv_cache_gib']} GiB of key-value cache "
                f"(generation.vllm.kv_cache_gib) and about 1 GiB of workspace are needed, "
                f"{free / GIB:.1f} GiB are free."
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


def _set_environment(spec: EngineSpec) -> None:
    os.environ.update(
        HF_HUB_OFFLINE="1", VLLM_NO_USAGE_STATS="1", DO_NOT_TRACK="1", VLLM_LOGGING_COLOR="0"
    )
    # It decides answers, so it is the config's business, and recorded.
    os.environ["VLLM_BATCH_INVARIANT"] = str(int(spec.options["batch_invariant"]))
    # A variable that the user has set stays.
    if _one_process(spec):
        # No worker to start, which takes half of the start-up time, none to be left behind, and on
        # a CPU no binding of threads that would put two jobs on the same cores.
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    if spec.device == "cpu":
        os.environ.setdefault("OMP_NUM_THREADS", str(spec.threads))
        cores = sorted(os.sched_getaffinity(0))[: spec.threads]
        os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", ",".join(map(str, cores)))
        # On CPUs with AMX, vLLM would also quantize the activations of INT4 models, to 8 bits: a
        # different precision from the one asked for, and only on some machines.
        os.environ["VLLM_CPU_INT4_W4A8"] = "0"
        _preload()
        if spec.options["enforce_eager"]:
            # vLLM compiles some functions even then, which takes a C++ compiler and time.
            os.environ.setdefault("TORCH_COMPILE_DISABLE", "1")


def _one_process(spec: EngineSpec) -> bool:
    """Whether one worker has the whole model, so that the job's process can be it."""
    sizes = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
    options = spec.options | dict(spec.options["extra"])
    return all(options.get(size) in (None, 1) for size in sizes)


def _preload() -> None:
    """Name the libraries that vLLM preloads by links, where their own path has a space.

    vLLM puts them into LD_PRELOAD for its child processes, unless it finds them there; the loader
    takes a space (or a colon) for the end of a path.
    """
    specs = [importlib.util.find_spec(name) for name in ("torch", "vllm")]
    sites = {Path(spec.origin).parent.parent for spec in specs if spec and spec.origin}
    if not any(character in str(site) for site in sites for character in " :\t\n"):
        return
    links = Path(tempfile.mkdtemp(prefix="quantrag-preload-"))
    atexit.register(shutil.rmtree, links, ignore_errors=True)
    places = ("vllm/libs/libtcmalloc*.so*", "torch.libs/libgomp*.so*", "torch/lib/libgomp*.so*")
    found = [os.environ["LD_PRELOAD"]] if os.environ.get("LD_PRELOAD") else []
    for place in places:
        paths = sorted(path for site in sites for path in site.glob(place))
        name = Path(place).name.split("*")[0]
        if paths and not any(name in entry for entry in found):
            (links / paths[0].name).symlink_to(paths[0])
            found.append(str(links / paths[0].name))
    if found:
        os.environ["LD_PRELOAD"] = ":".join(found)


@dataclass(frozen=True)
class _Reading:
    """Continuations of one stem, read after their prompt.

    Attributes:
        prompt: its token ids.
        continuations: at least one; they differ in their last token only.
        known: what the answer has said of the stem's beginning.
    """

    prompt: list[int]
    continuations: list[Continuation]
    known: Likelihood

    @property
    def stem(self) -> list[int]:
        """What the continuations have in common: all but their last token."""
        return self.continuations[0].token_ids[:-1]

    def is_lost(self, cached_tokens: int) -> bool:
        """Whether a token of the stem that isn't known was predicted by a cached position.

        The cache holds whole blocks. Where one ends with the prompt or inside the stem, nothing is
        computed there and no logprob is known.
        """
        known = len(self.known.logprobs)
        return known < len(self.stem) and cached_tokens >= len(self.prompt) + known

    def likelihoods(self, output: Any) -> Iterator[Likelihood]:
        """The likelihood of each continuation, from the engine's finished output."""
        logprobs, top = list(self.known.logprobs), list(self.known.top)
        for place in range(len(logprobs), len(self.stem)):
            entries = output.prompt_logprobs[len(self.prompt) + place]
            _note(entries, self.stem[place], logprobs, top)
        (last,) = output.outputs[0].logprobs
        for continuation in self.continuations:
            own = Likelihood(continuation.key, list(logprobs), list(top))
            _note(last, continuation.token_ids[-1], own.logprobs, own.top)
            yield own


def _note(entries: Any, token: int, logprobs: list[float], top: list[bool]) -> None:
    """Append what a position says of a token; the most likely one is among its entries."""
    own = entries[token].logprob
    logprobs.append(float(own))
    top.append(own >= max(entry.logprob for entry in entries.values()))


def _known(answer: Any, continuations: Sequence[Continuation]) -> dict[str, Likelihood]:
    """What a finished answer says of continuations, by their key.

    It read their tokens as far as it went the same way, and one further where the token at which
    they part was asked for.
    """
    known = {}
    for continuation in continuations:
        own = known[continuation.key] = Likelihood(continuation.key, [], [])
        for token, written, entries in zip(
            continuation.token_ids, answer.token_ids, answer.logprobs or [], strict=False
        ):
            if token not in entries:
                break
            _note(entries, token, own.logprobs, own.top)
            if token != written:
                break
    return known


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
