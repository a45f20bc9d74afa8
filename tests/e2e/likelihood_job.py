"""Likelihoods of continuations by one engine, as a program of its own: `ENGINE CHECKPOINT`.

Prints JSON: by key [logprobs, top], and how often each key came.
"""

import json
import os
import random
import sys
from pathlib import Path

# As the engine sets it; here torch is imported before the engine. To compile a kernel takes a
# compiler, and a path without a space.
os.environ.setdefault("TORCH_COMPILE_DISABLE", "1")

sys.path[:0] = [
    str(Path(__file__).parents[1]),
    str(Path(__file__).parents[2] / "workflow" / "scripts"),
]

BLOCK = 32  # of vLLM's cache
ANSWER = 12  # tokens that the model is asked for


def requests(checkpoint: Path):
    """Prompts whose ends lie before, at and after the end of a block, each with continuations.

    Among the continuations is what the model answers itself, whose blocks are then in the cache.
    """
    from transformers import AutoModelForCausalLM

    from generation_samples import VOCABULARY
    from quantrag.engines.base import Continuation, Request

    model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype="float32")
    draw = random.Random(0)
    for number, length in enumerate([5, 31, 32, 33, 63, 64, 65, 90, 96, 97]):
        prompt = [1, *draw.choices(range(10, VOCABULARY), k=length - 1)]
        own = greedy(model, prompt)
        texts = [own, own[:1], draw.choices(range(10, VOCABULARY), k=40), [7]]
        yield Request(
            f"q{number}",
            prompt,
            "",
            answer=number % 3 != 2,
            continuations=tuple(
                Continuation(f"q{number}-c{c}", tokens) for c, tokens in enumerate(texts)
            ),
        )


def greedy(model, prompt: list[int]) -> list[int]:
    """The model's own answer, token by token, without any engine."""
    import torch

    ids = list(prompt)
    with torch.inference_mode():
        for _ in range(ANSWER):
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(prompt) :]


def main(name: str, checkpoint: Path) -> None:
    """Score the continuations and print the likelihoods."""
    from generation_samples import make_spec, settings
    from quantrag.engines.base import Likelihood
    from quantrag.engines.registry import create_engine

    asked = list(requests(checkpoint))
    chosen = settings(
        engine=name,
        max_new_tokens=ANSWER,
        vllm={"enforce_eager": True, "kv_cache_gib": 0.25, "max_num_seqs": 8, "block_size": BLOCK},
        transformers={"batch_size": 3},
        openai={"served_model": "tiny", "concurrency": 4},
    )
    engine = create_engine(make_spec(checkpoint, settings=chosen, max_model_len=256))
    engine.load()
    assert engine.scores_continuations
    answers, likelihoods, counts = {}, {}, {}
    for result in engine.generate(asked):
        counts[result.key] = counts.get(result.key, 0) + 1
        if isinstance(result, Likelihood):
            likelihoods[result.key] = [result.logprobs, result.top]
        else:
            answers[result.key] = result.output_tokens
    engine.close()
    print("\n" + json.dumps({"answers": answers, "likelihoods": likelihoods, "counts": counts}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
