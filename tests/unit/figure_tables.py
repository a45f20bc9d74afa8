"""Synthetic tables with the exact columns of `tables/*.csv`, for an experiment of any size."""

import itertools

import numpy as np
import pandas as pd

METRICS = {"LaMP-3U": ("mae", "rmse"), "LaMP-5U": ("rouge1", "rougeL")}
MODELS = (
    "Llama-2-7b-chat", "Meta-Llama-3-8B-Instruct", "Mistral-7B-Instruct-v0.1", "zephyr-7b-beta",
    "Starling-LM-7B-alpha", "openchat_3.5", "gemma-2-9b-it",
    "a-model-with-quite-a-long-name-14B-instruct-preview",
)  # fmt: skip
PRECISIONS = ("fp16", "int4-awq", "int4-gptq", "int8-w8a8", "fp8-w8a8", "int3-gptq")
RETRIEVERS = ("bm25", "contriever", "dpr", "bm25-characters")
KS = ("0", "1", "2", "3", "5", "10", "max_4K", "max_8K")


def make(tasks=2, models=1, precisions=2, retrievers=2, ks=4, noise=True, seed=0):
    """All tables of an experiment with so many tasks, models, precisions, retrievers and ks.

    Returns:
        Tables by name: scores, comparisons, trends, costs, retrievers, checkpoints, replication.
    """
    rng = np.random.default_rng(seed)
    tasks = list(METRICS)[:tasks]
    models, precisions = MODELS[:models], PRECISIONS[:precisions]
    retrievers, ks = RETRIEVERS[:retrievers], KS[: max(ks - 1, 1)] + KS[-1:] * (ks > 1)
    cells = [(task, "none" if k == "0" else r, k)
             for task in tasks for r, k in itertools.product(retrievers, ks)]  # fmt: skip
    cells = list(dict.fromkeys(cells))
    scores, comparisons = [], []
    for model, (task, retriever, k) in itertools.product(models, cells):
        flips = rng.uniform(0, 0.4, len(precisions))
        for metric in METRICS[task]:
            lower = metric in ("mae", "rmse")
            x = ks.index(k)
            base = (0.62 - 0.03 * x if lower else 0.35 + 0.02 * x) + rng.normal(0, 0.02)
            half = 0.03 * abs(base)
            margin = 0.02 * base
            names = [*precisions, *(["noise-floor"] if noise else [])]
            for i, precision in enumerate(names):
                gap = 0.0 if i == 0 else (1 if lower else -1) * rng.normal(0.01, 0.01)
                if precision == "noise-floor":
                    gap /= 10
                scores.append(
                    (task, model, precision, retriever, k, metric, base + gap,
                     base + gap - half, base + gap + half, 2500, 0.01 if lower else 0.0)
                )  # fmt: skip
                if i and precision != "noise-floor":
                    wide = abs(rng.normal(0.008, 0.003))
                    p = float(rng.uniform())
                    low, high = gap - wide, gap + wide
                    equivalent = -margin < low and high < margin
                    worse = low > 0 if lower else high < 0
                    better = high < 0 if lower else low > 0
                    verdict = ("equivalent" if equivalent else "worse" if worse
                               else "better" if better else "inconclusive")  # fmt: skip
                    comparisons.append(
                        (task, model, retriever, k, metric, precisions[0], precision, gap, low,
                         high, p, min(1.0, 3 * p) if not (worse or better) else 0.003, margin,
                         equivalent, verdict, flips[i], flips[0] / 10 if noise else np.nan)
                    )  # fmt: skip
    scores = pd.DataFrame(
        scores,
        columns=["task", "model", "precision", "retriever", "k", "metric", "value", "ci_low",
                 "ci_high", "n", "unparseable_rate"],
    )  # fmt: skip
    comparisons = pd.DataFrame(
        comparisons,
        columns=["task", "model", "retriever", "k", "metric", "baseline", "precision", "difference",
                 "ci_low", "ci_high", "p_value", "p_holm", "margin", "equivalent", "verdict",
                 "flip_rate", "noise_flip_rate"],
    )  # fmt: skip
    return {
        "scores": scores,
        "comparisons": comparisons,
    }
