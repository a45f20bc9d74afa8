"""Perplexity of a checkpoint on texts that nothing was calibrated on."""

import math
from collections.abc import Sequence

import torch


def perplexity(model: torch.nn.Module, texts: Sequence[Sequence[int]]) -> tuple[float, int]:
    """exp of the mean negative log-likelihood of a token, given those before it in its text.

    Args:
        model: a causal language model of `transformers`.
        texts: token ids; texts of a single token say nothing and are skipped.

    Returns:
        The perplexity, and how many tokens were predicted.
    """
    total, count = 0.0, 0
    device = next(model.parameters()).device
    with torch.inference_mode():
        for text in texts:
            if len(text) < 2:
                continue
            ids = torch.as_tensor(list(text), device=device)
            logits = model(input_ids=ids[None, :-1], use_cache=False).logits[0].float()
            total += torch.nn.functional.cross_entropy(logits, ids[1:], reduction="sum").item()
            count += len(ids) - 1
    return (math.exp(total / count) if count else math.nan), count


def held_out_texts(
    inputs: Sequence[Sequence[str]], tokenizer, count: int, max_tokens: int
) -> list[list[int]]:
    """The first different texts of each task, tokenized and cut.

    Args:
        inputs: the texts of each task, in order.
        tokenizer: the model's.
        count: texts a task.
        max_tokens: longest text.
    """
    chosen = [text for texts in inputs for text in list(dict.fromkeys(texts))[:count]]
    return [tokenizer(text)["input_ids"][:max_tokens] for text in chosen]
