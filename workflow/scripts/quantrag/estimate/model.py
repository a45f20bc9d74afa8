"""What an experiment will cost: GPU hours, energy, download and disk, before anything is spent.

A model of two rates. Reading prompts is bound by arithmetic: 2 operations per parameter and token
(Kaplan et al. 2020, arXiv 2001.08361, section 2.1; attention adds a few percent up to 8K tokens and
is left out). Writing answers is bound by memory: each step reads all weights once and the cache of
every answer in the batch. All figures come from `config/estimate.yaml`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantrag.checkpoints.folder import weight_bytes
from quantrag.checkpoints.model_config import text_config
from quantrag.engines.registry import ENGINES
from quantrag.engines.sizing import GIB, kv_bytes_per_token
from quantrag.errors import UserError
from quantrag.generation.cards import all_rates
from quantrag.grid import K_ZERO, K
from quantrag.quantization.precisions import Precision
from quantrag.tasks.registry import load, typical_sizes

_GB = 1e9


@dataclass(frozen=True)
class Work:
    """The prompts of one model, all tasks, retrievers and k together.

    Attributes:
        prompts: how many.
        prompt_tokens: tokens in all of them.
        computed_tokens: what is left of these where documents that a query's prompts share are
            computed once.
        output_tokens: tokens of the answers.
        counted: whether prompts were counted, not assumed.
    """

    prompts: int
    prompt_tokens: float
    computed_tokens: float
    output_tokens: float
    counted: bool = False


@dataclass(frozen=True)
class Row:
    """The cost of one model at one precision. Hours are of one GPU's time."""

    model: str
    precision: str
    work: Work
    generate_h: float
    quantize_h: float
    energy_kwh: float
    download_gb: float
    disk_gb: float


def typical_work(config: Mapping[str, Any], model: str, tasks: Mapping[str, Any]) -> Work:
    """The prompts of a model from the typical sizes of its tasks.

    Args:
        config: the configuration with its defaults; `k` as strings.
        model: name of the model.
        tasks: typical sizes by data set.
    """
    context = config["models"][model]["context"]
    new_tokens = config["generation"]["max_new_tokens"]
    ks = [K.parse(k) for k in config["k"]]
    retrieved = [k for k in ks if k.needs_retriever]
    prompts = total = computed = output = 0.0
    for name, entry in config["tasks"].items():
        size = typical_sizes(entry, tasks[load(name, entry).dataset])
        queries, documents = size["queries"], size["documents"]
        query = min(size["query_tokens"], context - new_tokens)
        parts = [
            _document_tokens(k, query, documents, size["document_tokens"], context, new_tokens)
            for k in retrieved
        ]
        retrievers = len(config["retrievers"])
        zero = query if K_ZERO in ks else 0
        total += queries * (zero + retrievers * sum(part + query for part in parts))
        computed += queries * (zero + retrievers * (max(parts) + query * len(parts)))
        n = queries * (retrievers * len(parts) + (1 if zero else 0))
        prompts += n
        output += n * min(size["answer_tokens"], new_tokens)
    return Work(round(prompts), total, computed, output)


def counted_work(
    config: Mapping[str, Any], counts: Mapping[str, Sequence[tuple[str, str, int]]], tasks: Any
) -> Work:
    """The prompts of a model as they were built.

    Args:
        config: the configuration with its defaults.
        counts: (query_id, k, tokens) of every prompt, by `{task}/{retriever}`.
        tasks: typical sizes by data set; for the answers, which aren't known yet.
    """
    prompts = total = computed = output = 0.0
    new_tokens = config["generation"]["max_new_tokens"]
    for name, rows in counts.items():
        task = name.split("/")[0]
        size = tasks[load(task, config["tasks"][task]).dataset]
        longest: dict[str, int] = {}
        for query, _, tokens in rows:
            longest[query] = max(tokens, longest.get(query, 0))
        total += sum(tokens for _, _, tokens in rows)
        # Beside the longest prompt of a query, each of its others computes the query again.
        others = len(rows) - len(longest)
        computed += sum(longest.values()) + others * size["query_tokens"]
        prompts += len(rows)
        output += len(rows) * min(size["answer_tokens"], new_tokens)
    return Work(round(prompts), total, min(computed, total), output, counted=True)


def estimate_row(
    config: Mapping[str, Any],
    facts: Mapping[str, Any],
    model: str,
    precision: str,
    work: Work,
    gpu: Mapping[str, float],
    noise_floor: bool = False,
    original: Path | None = None,
) -> Row:
    """The cost of one model at one precision.

    Args:
        config: the configuration with its defaults.
        facts: content of `config/estimate.yaml`.
        model: name of the model.
        precision: name of the precision.
        work: its prompts.
        gpu: an entry of `gpus`.
        noise_floor: whether they are answered a second time, in random order, where the prefix
            cache saves nothing.
        original: folder of the model's checkpoint, where it is on disk already.

    Raises:
        UserError: nothing is known about the model, or it doesn't fit the card.
    """
    rates, generation = all_rates(facts), config["generation"]
    asked = Precision.of(precision, config["precisions"][precision])
    shape = model_shape(config["models"][model]["source"], facts["models"], original)
    bits = asked.stored_bits
    quantized = shape["billions"] - shape["embeddings"]
    weights_gb = (quantized * bits + shape["embeddings"] * min(16, max(bits, 16))) / 8
    engine = ENGINES[generation["engine"]]
    # A server's GPUs are not ours to count: one is assumed.
    devices = max(1, engine.gpus(generation[engine.name]))
    memory_gb = gpu["memory_gib"] * GIB / _GB * rates["memory_share"] * devices
    room_gb = memory_gb - weights_gb - 1
    if room_gb <= 0:
        raise UserError(
            f"{model} at {precision} has about {weights_gb:.0f} GB of weights, which don't fit "
            f"into {memory_gb:.0f} GB. Take a larger card (estimate.gpu), or let several share the "
            "model (generation.vllm.tensor_parallel_size)."
        )
    # Tensor cores read 8 bits only where activations have them too.
    eight = asked.method.activation_bits == 8
    tflops = gpu["tflops_8bit"] if eight else gpu["tflops_16bit"]
    if eight:
        efficiency = rates["eight_bit_efficiency"]
    else:
        efficiency = rates["prefill_efficiency" if bits >= 16 else "dequantizing_efficiency"]
    cached = engine.caches_prefixes(generation[engine.name])
    passes = 2 if noise_floor else 1
    tokens = work.computed_tokens if cached else work.prompt_tokens
    tokens += work.prompt_tokens if noise_floor else 0
    prefill_s = 2 * shape["billions"] * 1e9 * tokens / (tflops * 1e12 * efficiency)
    kv_gb = shape["kv_bytes"] * (0.5 if asked.kv_cache_dtype == "fp8" else 1) / _GB
    length = work.prompt_tokens / max(work.prompts, 1)
    batch = max(1.0, min(rates["largest_batch"], room_gb / (kv_gb * length)))
    step_gb = weights_gb + batch * kv_gb * length
    bandwidth = gpu["bandwidth_gb_s"] * rates["decode_efficiency"]
    decode_s = work.output_tokens / batch * step_gb / bandwidth
    start_s = rates["engine_start_s"] + weights_gb / rates["read_gb_per_s"]
    # Several cards together take their share of the time each: the hours are those of one.
    generate_h = (prefill_s + passes * (decode_s + start_s * devices)) / 3600
    quantize_min = rates["quantize_minutes_per_billion"] * shape["billions"]
    quantize_h = quantize_min / 60 if asked.made_here else 0.0
    downloaded = asked.published and asked.checkpoints[model]["kind"] == "huggingface"
    return Row(
        model,
        precision,
        Work(
            work.prompts * passes,
            work.prompt_tokens * passes,
            tokens,
            work.output_tokens * passes,
            work.counted,
        ),
        generate_h,
        quantize_h,
        (generate_h + quantize_h) * gpu["watts"] / 1000,
        weights_gb if downloaded else 0.0,
        weights_gb if downloaded or asked.made_here else 0.0,
    )


def model_shape(
    source: Mapping[str, Any], known: Mapping[str, Any], original: Path | None
) -> dict[str, float]:
    """Billions of parameters, of those in embeddings, and bytes of 16-bit cache per token.

    Raises:
        UserError: the checkpoint isn't on disk and its repository isn't in `config/estimate.yaml`.
    """
    folder = Path(source["folder"]) if source["kind"] == "folder" else original
    if folder is not None and (folder / "config.json").is_file():
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        text = text_config(config)
        matrices = 1 if text.get("tie_word_embeddings", config.get("tie_word_embeddings")) else 2
        return {
            "billions": weight_bytes(folder) / 2 / 1e9,
            "embeddings": matrices * text["vocab_size"] * text["hidden_size"] / 1e9,
            "kv_bytes": kv_bytes_per_token(config, "float16") or 0,
        }
    name = source.get("repo") or source.get("package") or source.get("folder")
    if name not in known:
        raise UserError(
            f"config/estimate.yaml: nothing is known about {name}: add it to `models`, or download "
            "the checkpoint first. Known: " + ", ".join(known)
        )
    shape = known[name]
    return {
        "billions": shape["billions"],
        "embeddings": shape["embeddings"],
        "kv_bytes": 4 * shape["layers"] * shape["kv_heads"] * shape["head_dim"],
    }


def _document_tokens(
    k: K, query: float, documents: float, tokens: float, context: int, new_tokens: int
) -> float:
    """Tokens of the documents that fit into a prompt, on average."""
    room = k.budget(context, new_tokens) - query
    return max(0, min(k.asked(documents), room // tokens)) * tokens
