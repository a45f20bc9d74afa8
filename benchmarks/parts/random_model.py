"""Checkpoints of random weights and prompts for them: a real model's sizes without a download.

Every precision is written as the project's own tools write it, so that an engine takes the kernels
that it would take for a real model. Answers mean nothing; times and memory do.
"""

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from safetensors.torch import save_file

from generation_samples import END, write_word_tokenizer
from quantrag.prompts.build import PROMPT_SCHEMA, prompt_hash
from quantrag.tables import write_table

#: Llama's shapes: 7b is Llama 2's, tiny tries the benchmark itself on a CPU.
SHAPES: dict[str, dict[str, int]] = {
    "7b": {
        "hidden_size": 4096,
        "intermediate_size": 11008,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "vocab_size": 32000,
        "max_position_embeddings": 4096,
    },
    "tiny": {
        "hidden_size": 256,
        "intermediate_size": 512,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "vocab_size": 2000,
        "max_position_embeddings": 1024,
    },
}
GROUP_SIZE = 64
#: The keys of `config.json` by precision; `bf16` has none.
PRECISIONS: dict[str, dict[str, Any]] = {
    "bf16": {},
    "int4-gptq": {
        "quant_method": "gptq",
        "bits": 4,
        "group_size": GROUP_SIZE,
        "sym": True,
        "desc_act": False,
        "checkpoint_format": "gptq",
    },
    "fp8-w8a8": {
        "quant_method": "compressed-tensors",
        "format": "float-quantized",
        "quantization_status": "compressed",
        "ignore": ["lm_head"],
        "config_groups": {
            "group_0": {
                "targets": ["Linear"],
                "weights": {"num_bits": 8, "type": "float", "strategy": "channel"},
                "input_activations": {
                    "num_bits": 8,
                    "type": "float",
                    "strategy": "token",
                    "dynamic": True,
                },
            }
        },
    },
}
HEADER, FIRST_WORD = 24, 10
KS = {"none": ["0"], "bm25": ["1", "3", "5", "max_4K"]}


def write_checkpoint(folder: Path, shape: Mapping[str, int], precision: str, device: str) -> Path:
    """Write a Llama of random weights, a shard for each layer, and a tokenizer of made-up words.

    Args:
        folder: created.
        shape: an entry of `SHAPES`.
        precision: a key of `PRECISIONS`.
        device: where the weights are drawn, `cuda` or `cpu`.
    """
    folder.mkdir(parents=True)
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": END,
        "torch_dtype": "bfloat16",
        **shape,
    }
    if PRECISIONS[precision]:
        config["quantization_config"] = PRECISIONS[precision]
    _write_json(folder / "config.json", config)
    write_word_tokenizer(folder, shape["vocab_size"])
    files: dict[str, str] = {}
    with torch.device(device):
        torch.manual_seed(0)
        for number, tensors in enumerate(_shards(shape, precision)):
            name = f"model-{number:05d}.safetensors"
            save_file(tensors, folder / name, metadata={"format": "pt"})
            files |= dict.fromkeys(tensors, name)
    _write_json(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": files})
    return folder


def _shards(shape: Mapping[str, int], precision: str) -> Iterator[dict[str, torch.Tensor]]:
    """The tensors of embeddings and head, then of each layer."""
    hidden, inner, words = shape["hidden_size"], shape["intermediate_size"], shape["vocab_size"]
    keys = hidden // shape["num_attention_heads"] * shape["num_key_value_heads"]
    yield {
        "model.embed_tokens.weight": _normal(words, hidden),
        "lm_head.weight": _normal(words, hidden),
        "model.norm.weight": torch.ones(hidden, dtype=torch.bfloat16),
    }
    # Outputs and inputs of each matrix.
    matrices = {
        "self_attn.q_proj": (hidden, hidden),
        "self_attn.k_proj": (keys, hidden),
        "self_attn.v_proj": (keys, hidden),
        "self_attn.o_proj": (hidden, hidden),
        "mlp.gate_proj": (inner, hidden),
        "mlp.up_proj": (inner, hidden),
        "mlp.down_proj": (hidden, inner),
    }
    for layer in range(shape["num_hidden_layers"]):
        tensors = {}
        for name, (outputs, inputs) in matrices.items():
            for part, tensor in _matrix(precision, outputs, inputs).items():
                tensors[f"model.layers.{layer}.{name}.{part}"] = tensor
        for name in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"model.layers.{layer}.{name}.weight"] = torch.ones(
                hidden, dtype=torch.bfloat16
            )
        yield tensors


def _matrix(precision: str, outputs: int, inputs: int) -> dict[str, torch.Tensor]:
    """The tensors of one linear layer."""
    if precision == "bf16":
        return {"weight": _normal(outputs, inputs)}
    if precision == "fp8-w8a8":
        scale = torch.full((outputs, 1), 0.02, dtype=torch.bfloat16)
        weight = torch.randn(outputs, inputs).to(torch.float8_e4m3fn)
        return {"weight": weight, "weight_scale": scale}
    # Eight weights of 4 bits in a word; a zero of 8 is stored as 7.
    low, high, zeros = -(2**31), 2**31 - 1, 0x77777777
    groups = inputs // GROUP_SIZE
    return {
        "qweight": torch.randint(low, high, (inputs // 8, outputs), dtype=torch.int32),
        "qzeros": torch.full((groups, outputs // 8), zeros, dtype=torch.int32),
        "scales": torch.full((groups, outputs), 0.004, dtype=torch.float16),
        "g_idx": torch.arange(inputs, dtype=torch.int32) // GROUP_SIZE,
    }


def _normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.bfloat16) * 0.02


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def write_prompts(folder: Path, shape: Mapping[str, int], queries: int, new_tokens: int) -> None:
    """Prompts of the paper's kind, as `build_prompts` writes them, of random tokens.

    A header that all share, a query's documents (90 to 209 tokens), best first, so that those of
    k = 1 begin those of k = 3, then its question (60 to 199 tokens) and a gold of six tokens.
    """
    words, longest = shape["vocab_size"], shape["max_position_embeddings"] - new_tokens
    drawn = random.Random(0)

    def draw(n: int) -> list[int]:
        return [drawn.randrange(FIRST_WORD, words) for _ in range(n)]

    header, rows = draw(HEADER), []
    for query in range(queries):
        documents = [draw(drawn.randrange(90, 210)) for _ in range(40)]
        question, gold = draw(drawn.randrange(60, 200)), draw(6)
        for retriever, ks in KS.items():
            for k in ks:
                ids = list(header)
                for document in documents[: int(k) if k.isdigit() else None]:
                    if len(ids) + len(document) + len(question) > longest:
                        break
                    ids += document
                rows.append((retriever, f"q{query}", k, [*ids, *question], gold))
    for retriever in KS:
        own = [row[1:] for row in rows if row[0] == retriever]
        columns = {
            "query_id": [query for query, *_ in own],
            "k": [k for _, k, *_ in own],
            "prompt": [""] * len(own),
            "token_ids": [ids for _, _, ids, _ in own],
            "n_tokens": [len(ids) for _, _, ids, _ in own],
            "document_ids": [[]] * len(own),
            "dropped": [0] * len(own),
            "truncated": [False] * len(own),
            "prompt_hash": [prompt_hash(np.array(ids)) for _, _, ids, _ in own],
            "continuations": [
                [{"text": "", "token_ids": gold, "merges": False}] for *_, gold in own
            ],
        }
        table = pa.table(columns, schema=PROMPT_SCHEMA)
        write_table(table, folder / "random" / f"{retriever}.parquet")
