"""The paper's grid with small things instead of large ones, for tests of the workflow itself.

Every rule runs for real, GPTQ included, on random models of two layers, random encoders and the
demo's texts; answers come from a server on the loopback that no model stands behind.
"""

import hashlib
import json
import os
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

HIDDEN = 128  # the least that a group of 128 weights divides
_TITLES = ("A Study of Retrieval", "Learning to Rank", "Notes on Soil and Rain", "Fast Indexes")


def write_grid(
    default: Path, folder: Path, users: int, models: int | None = None, experiment: str = "stub"
) -> Path:
    """Write stand-ins for all that the default configuration would download.

    Args:
        default: `config/config.yaml`.
        folder: receives checkpoints, encoders and the configuration; created.
        users: users, and so queries, of each task.
        models: keep only the first so many models; None keeps all.
        experiment: name of the experiment.

    Returns:
        The configuration's path. Its engine is `openai`, for `AnswerServer`.
    """
    config = yaml.safe_load(default.read_text(encoding="utf-8"))
    config["experiment"] = experiment
    config["models"] = dict(list(config["models"].items())[:models])
    for task in config["tasks"].values():
        task["source"] = {"kind": "demo", "users": users}
    config["retrievers"]["contriever"]["encoder"] = _encoder(folder / "contriever", "bert")
    config["retrievers"]["dpr"]["encoder"] = _encoder(folder / "dpr-passages", "passage")
    config["retrievers"]["dpr"]["query_encoder"] = _encoder(folder / "dpr-questions", "question")
    for number, (name, entry) in enumerate(config["models"].items()):
        original = _checkpoint(folder / name, number, entry["context"])
        entry["source"] = {"kind": "folder", "folder": str(original)}
    for entry in config["precisions"].values():
        if entry["method"] == "published":
            entry["checkpoints"] = {
                name: {"kind": "folder", "folder": str(_published(folder, name))}
                for name in config["models"]
            }
        elif entry["method"] != "none":
            # The work of the quantization itself isn't what is tested here.
            entry["calibration"] = {"count": 4, "max_tokens": 256}
    config["generation"] = {
        "engine": "openai",
        "device": "cpu",
        "openai": {"concurrency": 8},
    }
    path = folder / "grid.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return path


class AnswerServer:
    """Serves every model and precision of a configuration, with answers drawn from the prompt.

    Precisions agree on most prompts, so that comparisons have both equal and unequal answers.
    """

    def __init__(self, config: Path):
        content = yaml.safe_load(config.read_text(encoding="utf-8"))
        self.names = [f"{m}-{p}" for m in content["models"] for p in content["precisions"]]
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Header and body in separate packets wait for each other (Nagle's algorithm).
            wbufsize = -1

            def do_GET(self):
                self._reply({"data": [{"id": n, "max_model_len": 2**20} for n in outer.names]})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._reply(outer.answer(body["model"], body["prompt"]))

            def _reply(self, content: dict[str, Any]) -> None:
                data = json.dumps(content).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *arguments):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def answer(self, model: str, prompt: Sequence[int]) -> dict[str, Any]:
        draw = hashlib.sha256(json.dumps(prompt).encode()).digest()
        if draw[0] < 64:
            draw = hashlib.sha256(draw + model.encode()).digest()
        text = f"{draw[1] % 5 + 1}. {_TITLES[draw[2] % len(_TITLES)]}"
        return {
            "choices": [
                {
                    "text": text,
                    "finish_reason": "stop",
                    "logprobs": {"top_logprobs": [{"1": -0.5, "2": -1.5}]},
                }
            ],
            "usage": {"prompt_tokens": len(prompt), "completion_tokens": len(text.split())},
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()


def _checkpoint(folder: Path, seed: int, context: int) -> Path:
    """A random Llama with the demo's tokenizer; every second template refuses a system role."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from unit.prompt_tokenizers import MISTRAL_TEMPLATE, demo_tokenizer

    tokenizer = demo_tokenizer()
    if seed % 2:
        tokenizer.chat_template = MISTRAL_TEMPLATE
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        intermediate_size=2 * HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=context,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _published(folder: Path, model: str) -> Path:
    """What passes for a quantized checkpoint of others: never loaded, since a server answers."""
    target = folder / f"{model}-awq"
    target.mkdir()
    for path in (folder / model).iterdir():
        os.link(path, target / path.name)
    content = json.loads((folder / model / "config.json").read_text(encoding="utf-8"))
    content["quantization_config"] = {"quant_method": "awq", "bits": 4, "group_size": 128}
    (target / "config.json").unlink()
    (target / "config.json").write_text(json.dumps(content), encoding="utf-8")
    return target


def _encoder(folder: Path, kind: str) -> dict[str, str]:
    """A random encoder of two layers in BERT's or DPR's form; gives its entry in the config."""
    import torch
    from transformers import (
        BertConfig,
        BertModel,
        DPRConfig,
        DPRContextEncoder,
        DPRQuestionEncoder,
        PreTrainedTokenizerFast,
    )

    from unit.prompt_tokenizers import wordpiece

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=wordpiece().backend_tokenizer, unk_token="[UNK]", pad_token="[PAD]"
    )
    sizes = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
    }
    torch.manual_seed(0)
    model = {
        "bert": lambda: BertModel(BertConfig(**sizes)),
        "passage": lambda: DPRContextEncoder(DPRConfig(**sizes)),
        "question": lambda: DPRQuestionEncoder(DPRConfig(**sizes)),
    }[kind]()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return {"kind": "folder", "folder": str(folder)}
