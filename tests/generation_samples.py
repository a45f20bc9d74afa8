"""Prompts, checkpoints and engines small enough for tests of generation."""

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from quantrag.engines.base import Completion, Engine, EngineSpec, Likelihood, Request
from quantrag.generation.generate import generate_cells
from quantrag.generation.job import GenerationJob, engine_spec
from quantrag.generation.settings import GenerationSettings
from quantrag.tables import write_table

VOCABULARY = 300
END = 2
TASKS = ("LaMP-3U", "LaMP-5U")


def settings(**changes: Any) -> dict[str, Any]:
    """The section `generation` with its defaults, on the CPU."""
    return GenerationSettings(**{"device": "cpu", **changes}).model_dump()


def prompt_tokens(task: str, query: int, k: str, template: str = "a") -> list[int]:
    """A prompt whose beginning is shared by all prompts of a query, as documents are."""
    random_ids = random.Random(f"{task} {query} {template}")
    documents = [random_ids.choices(range(10, VOCABULARY), k=20) for _ in range(8)]
    kept = min(int(k) if k.isdigit() else 8, 8)
    return [1, 3, *(t for d in documents[:kept] for t in d), 4, *documents[-1][:9]]


def write_prompts(
    folder: Path, ks: Sequence[str], queries: int = 4, template: dict[str, str] | None = None
) -> list[Path]:
    """Write one prompts file per task and retriever; k = 0 goes to the retriever `none`."""
    paths = []
    entry = pa.struct(
        [("text", pa.string()), ("token_ids", pa.list_(pa.int32())), ("merges", pa.bool_())]
    )
    for task in TASKS:
        version = (template or {}).get(task, "a")
        for retriever in ("none", "bm25"):
            chosen = [k for k in ks if (k == "0") == (retriever == "none")]
            rows = [
                (k, q, prompt_tokens(task, q, k, version)) for k in chosen for q in range(queries)
            ]
            table = pa.table(
                {
                    "query_id": pa.array([f"q{q}" for _, q, _ in rows], pa.string()),
                    "k": pa.array([k for k, _, _ in rows], pa.string()),
                    "prompt": pa.array(
                        [" ".join(map(str, ids)) for _, _, ids in rows], pa.string()
                    ),
                    "token_ids": pa.array([ids for _, _, ids in rows], pa.list_(pa.int32())),
                    "n_tokens": pa.array([len(ids) for _, _, ids in rows], pa.int32()),
                    "prompt_hash": pa.array([_hash(ids) for _, _, ids in rows], pa.string()),
                    "continuations": pa.array(
                        [continuations(task, q) for _, q, _ in rows], pa.list_(entry)
                    ),
                }
            )
            path = folder / task / f"{retriever}.parquet"
            write_table(table, path)
            paths.append(path)
    return paths


def continuations(task: str, query: int) -> list[dict[str, Any]]:
    """Five ratings of one token each, or one gold text of two tokens."""
    ids = [[20 + r] for r in range(5)] if task == TASKS[0] else [[30 + query, 31]]
    return [
        {"text": " ".join(map(str, tokens)), "token_ids": tokens, "merges": False} for tokens in ids
    ]


def cell_files(folder: Path, ks: Sequence[str]) -> list[Path]:
    """The completions files of the grid."""
    return [
        folder / task / ("none" if k == "0" else "bm25") / f"k{k}.parquet"
        for task in TASKS
        for k in ks
    ]


def fake_checkpoint(folder: Path, weights: bytes = b"weights") -> Path:
    """A folder that has what generation reads of a checkpoint; no engine could load it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"eos_token_id": END}))
    (folder / "model.safetensors").write_bytes(weights)
    return folder


def tiny_checkpoint(folder: Path, context: int = 512) -> Path:
    """A random Llama of 120,000 weights with a tokenizer of one token per word, in float32."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    write_word_tokenizer(folder, VOCABULARY)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=context,
        initializer_range=0.3,  # larger than usual, or a random model repeats one token
        bos_token_id=1,
        eos_token_id=END,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def write_word_tokenizer(folder: Path, vocabulary: int) -> None:
    """A tokenizer of so many tokens, each a made-up word; the first three are special."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {"<unk>": 0, "<s>": 1, "</s>": END} | {f"w{i}": i for i in range(3, vocabulary)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)


def make_spec(checkpoint: Path, **changes: Any) -> EngineSpec:
    """What an engine of `settings` (by default `transformers`) needs to load one checkpoint."""
    values = {
        "settings": settings(engine="transformers"),
        "original": checkpoint,
        "model": "tiny",
        "precision": "fp32",
        "checkpoint": checkpoint,
        "dtype": "float32",
        "kv_cache_dtype": "auto",
        "threads": 2,
    }
    return engine_spec(**{**values, **changes})


def make_job(checkpoint: Path, **changes: Any) -> GenerationJob:
    """A job on one checkpoint, with changes to its spec."""
    spec = make_spec(checkpoint, **changes)
    return GenerationJob(spec, spec.precision, shuffle_seed=None, source={"kind": "folder"})


def requests(count: int = 5) -> list[Request]:
    """Prompts of different lengths."""
    ids = [prompt_tokens("LaMP-3U", query, str(query % 4)) for query in range(count)]
    return [Request(f"r{i}", x, " ".join(f"w{t}" for t in x)) for i, x in enumerate(ids)]


def answers(engine: Engine, asked: Sequence[Request]) -> dict[str, Completion]:
    """Load an engine, have it answer, and close it."""
    engine.load()
    try:
        return {completion.key: completion for completion in engine.generate(asked)}
    finally:
        engine.close()


class FakeEngine(Engine):
    """Answers at once, out of order, and keeps a record."""

    def __init__(self, spec: EngineSpec, fail_after: int | None = None):
        super().__init__(spec)
        self.asked: list[Request] = []
        self.closed = False
        self._fail_after = fail_after

    def load(self) -> None:
        pass

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion | Likelihood]:
        self.asked = list(requests)
        for count, request in enumerate(self.asked[1::2] + self.asked[0::2]):
            if count == self._fail_after:
                raise RuntimeError("the engine died")
            if request.answer:
                yield self._completion(request)
            for continuation in request.continuations:
                # Depends on all that a likelihood depends on.
                seed = sum(request.token_ids) % 7 + sum(continuation.token_ids) % 5
                logprobs = [-0.1 * (seed + i + 1) for i in range(len(continuation.token_ids))]
                yield Likelihood(continuation.key, logprobs, [True] * len(logprobs))

    def _completion(self, request: Request) -> Completion:
        return Completion(
            key=request.key,
            text=f"answer {sum(request.token_ids)}",
            finish_reason="stop",
            prompt_tokens=len(request.token_ids),
            cached_tokens=3,
            output_tokens=2,
            token_ids=[sum(request.token_ids) % 50 + 10, END],
            logprobs=[-0.5, -0.25],
        )

    def report(self) -> dict[str, Any]:
        return {"engine": "fake"}

    def close(self) -> None:
        self.closed = True


class Factory:
    """Makes FakeEngines and remembers them."""

    def __init__(self, fail_after: int | None = None):
        self.engines: list[FakeEngine] = []
        self._fail_after = fail_after

    def __call__(self, spec: EngineSpec) -> FakeEngine:
        self.engines.append(FakeEngine(spec, self._fail_after))
        return self.engines[-1]

    @property
    def asked(self) -> list[Request]:
        return [request for engine in self.engines for request in engine.asked]


def run(
    folder: Path,
    ks: Sequence[str],
    factory: Any = None,
    job: GenerationJob | None = None,
    template: dict[str, str] | None = None,
    queries: int = 4,
    baseline_files: Sequence[Path] = (),
) -> list[Path]:
    """Write prompts in `folder`, generate, and give the completions files."""
    job = job or make_job(fake_checkpoint(folder / "checkpoint"))
    cells = cell_files(folder / "completions" / job.precision, ks)
    generate_cells(
        job,
        write_prompts(folder / "prompts", ks, queries, template),
        cells,
        folder / "costs" / f"{job.precision}.json",
        folder / "journals" / f"{job.precision}.jsonl",
        **({} if factory is None else {"engine_factory": factory}),
        baseline_files=baseline_files,
    )
    return cells


def _hash(ids: Sequence[int]) -> str:
    return hashlib.sha256(np.asarray(ids, dtype="<i4").tobytes()).hexdigest()
