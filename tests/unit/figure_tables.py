"""Synthetic tables with the exact columns of `tables/*.csv`, for an experiment of any size."""

import itertools

import numpy as np
import pandas as pd

from quantrag.generation.costs import COST_COLUMNS
from quantrag.quantization import checkpoint_table
from quantrag.retrieval import agreement
from quantrag.retrieval.quality import MEASURES
from quantrag.scoring.evidence import INTERACTION, PARTS
from quantrag.statistics.comparisons import COMPARISON_COLUMNS, POOLED_COLUMNS
from quantrag.statistics.evidence import EVIDENCE_COLUMNS
from quantrag.statistics.replication import REPLICATION_COLUMNS
from quantrag.statistics.retrieval_quality import RETRIEVAL_COLUMNS
from quantrag.statistics.summaries import SCORE_COLUMNS
from quantrag.statistics.trends import ALL, TREND_COLUMNS

METRICS = {"LaMP-3U": ("mae", "rmse"), "LaMP-5U": ("rouge1", "rougeL")}
MODELS = (
    "Llama-2-7b-chat", "Meta-Llama-3-8B-Instruct", "Mistral-7B-Instruct-v0.1", "zephyr-7b-beta",
    "Starling-LM-7B-alpha", "openchat_3.5", "gemma-2-9b-it",
    "a-model-with-quite-a-long-name-14B-instruct-preview",
)  # fmt: skip
PRECISIONS = ("fp16", "int4-awq", "int4-gptq", "int8-w8a8", "fp8-w8a8", "int3-gptq")
RETRIEVERS = ("bm25", "contriever", "dpr", "bm25-characters")
KS = ("0", "1", "2", "3", "5", "10", "max_4K", "max_8K")

COLUMNS = {
    "scores": SCORE_COLUMNS[:11],
    "comparisons": COMPARISON_COLUMNS,
    "costs": COST_COLUMNS,
    "replication": REPLICATION_COLUMNS,
    "retrievers": agreement.COLUMNS,
    "checkpoints": checkpoint_table.COLUMNS,
}


def make(tasks=2, models=1, precisions=2, retrievers=2, ks=4, noise=True, energy=True, seed=0):
    """All tables of an experiment with so many tasks, models, precisions, retrievers and ks.

    Returns:
        Tables by name: scores, comparisons, pooled, evidence, trends, retrievers, costs,
        checkpoints, replication.
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
                         high, p, 0.003 if worse or better else min(1.0, 3 * p), margin,
                         equivalent, flips[i], flips[0] / 10 if noise else np.nan, verdict, base,
                         base + gap, p, 2 * wide, 3 * wide, np.nan, np.nan, np.nan,
                         0.01 if lower else 0.0, 0.01 if lower else 0.0, 2500, 2500, np.nan, np.nan,
                         round(2500 * flips[i]), 9000.0, p, np.nan, 0)
                    )  # fmt: skip
    tables = {
        "scores": pd.DataFrame(scores, columns=COLUMNS["scores"]),
        "comparisons": pd.DataFrame(comparisons, columns=COLUMNS["comparisons"]),
        "retrievers": _retrievers(rng, tasks, retrievers),
        "costs": _costs(rng, models, precisions, energy),
        "checkpoints": _checkpoints(rng, models, precisions),
    }
    tables["replication"] = _replication(tables["scores"])
    tables["trends"] = _trends(rng, tables["comparisons"])
    tables["pooled"] = _pooled(tables["comparisons"])
    tables["retrieval"] = _retrieval(rng, tasks, retrievers)
    tables["evidence"] = _evidence(tables["comparisons"], tables["pooled"])
    tables |= {f"{name}_without": tables[name] for name in ("comparisons", "pooled")}
    return tables


def with_likelihoods(tables):
    """The tables with an NLL of LaMP-5U's golds, half of the loss in ROUGE-L."""
    rows = tables["comparisons"]
    own = rows[rows["metric"] == "rougeL"]
    own = own.assign(metric="nll", difference=-own["difference"] / 2)
    return tables | {"comparisons": pd.concat([rows, own], ignore_index=True)}


def _evidence(comparisons, pooled):
    parts = []
    for i, name in enumerate(PARTS):
        for table in (pooled.assign(retriever=ALL, k=ALL), comparisons[comparisons["k"] != "0"]):
            table = table.assign(evidence=name, n=2500 // (1 + i))
            ends = ["difference", "ci_low", "ci_high"]
            table[ends] = table[ends] * (1, -0.2, 1.5, 1, 0.5)[i]
            parts.append(table)
    for level in (0, 1):  # all cells, single cells
        table = parts[level][["task", "model", "retriever", "k", "metric", "baseline", "precision"]]
        own = {name: parts[level][name] * 1.2 for name in ("difference", "ci_low", "ci_high")}
        facts = {"p_value": 0.01, "p_holm": 0.04, "n": 3750, "n_differing": 900, "verdict": ""}
        parts.append(table.assign(evidence=INTERACTION, **own, **facts))
    return pd.concat(parts, ignore_index=True)[EVIDENCE_COLUMNS]


def _pooled(comparisons):
    key = ["task", "model", "metric", "baseline", "precision"]
    groups = comparisons.groupby(key, sort=False)
    table = groups.first().reset_index()
    for name in ("difference", "baseline_value", "precision_value", "margin"):
        table[name] = groups[name].mean().to_numpy()
    table["ci_low"], table["ci_high"] = table["difference"] - 0.004, table["difference"] + 0.004
    table["n_cells"] = groups.size().to_numpy()
    return table[POOLED_COLUMNS]


def _trends(rng, comparisons):
    rows = []
    names = comparisons[["task", "model", "retriever", "precision", "metric"]].drop_duplicates()
    for name in names[names["retriever"] != "none"].itertuples(index=False):
        slope = rng.normal(0, 0.005)
        error = 0.003
        p = 0.001 if abs(slope) > 2 * error else 0.6
        ends = (slope - 2 * error, slope + 2 * error)
        rows.append(
            (
                *name,
                slope,
                *ends,
                p,
                p / 2,
                error,
                np.nan,
                15000,
                2500,
                1,
                0.01,
                0.02,
                *[np.nan] * 5,
                900,
                np.nan,
            )
        )
    return pd.DataFrame(rows, columns=TREND_COLUMNS)


def _retrievers(rng, tasks, retrievers):
    rows = []
    for task in tasks:
        for a, b in itertools.combinations(retrievers, 2):
            top1, top5, rbo = np.sort(rng.uniform(0.1, 1, 3))
            rows.append((task, a, b, 2500, top1, top5, rbo))
    return pd.DataFrame(rows, columns=COLUMNS["retrievers"])


def _retrieval(rng, tasks, retrievers):
    rows = []
    for task in tasks:
        for retriever in retrievers:
            values = dict(zip(MEASURES, np.sort(rng.uniform(0.3, 0.95, 6)), strict=True))
            ends = {
                f"{m}_{e}": values[m] + d
                for m in MEASURES
                for e, d in (("low", -0.04), ("high", 0.04))
            }
            row = {"task": task, "retriever": retriever, "n": 1190, "n_clusters": 48}
            rows.append({**row, **values, **ends, "index_recall": 1.0})
    return pd.DataFrame(rows, columns=RETRIEVAL_COLUMNS)


def _costs(rng, models, precisions, energy):
    rows = []
    for m, model in enumerate(models):
        size = 13.5 + 1.5 * (m % 3)
        for p, precision in enumerate(precisions):
            gib = size * (1, 0.28, 0.28, 0.51, 0.5, 0.22)[p]
            speed = 900 * (1 + 0.2 * p) * rng.uniform(0.9, 1.1) / (1 + 0.2 * m)
            rows.append(
                (model, precision, "vllm", "NVIDIA H200", gib, gib, 524_288, 200_000, 4096,
                 gib + 2, "L4", gib + 20, 45.0, 30_000_000,
                 12_000_000, 1_000_000, 20 * speed, speed, 900_000 / speed if energy else np.nan)
            )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS["costs"])


def _checkpoints(rng, models, precisions):
    kinds = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    rows = []
    for model in models:
        for p, precision in enumerate(precisions):
            whole = {"model": model, "precision": precision, "method": "gptq" if p else "none"}
            layers = [
                {
                    "layer": layer,
                    "module": module,
                    "weight_error": 0.02 * p * rng.uniform(0.8, 1.2),
                    "output_error": 0.01 * p * rng.uniform(0.8, 1.2),
                    "bits_per_weight": 4.25,
                }
                for layer in range(32 * bool(p))
                for module in kinds
            ]
            sizes = {"weight_bytes": 14_000_000_000 >> (2 * bool(p)), "perplexity": 8.0 + 0.2 * p}
            rows.append({**whole, **sizes, "module": "", "perplexity_tokens": 32_768})
            rows += [{**whole, **layer} for layer in layers]
    return pd.DataFrame(rows, columns=COLUMNS["checkpoints"])


def _replication(scores):
    rows = []
    some = scores[scores["precision"] != "noise-floor"].iloc[::7]
    for i, row in enumerate(some.itertuples()):
        published = row.value + (0.0, 0.01, 0.2)[i % 3]
        status = ("OK", "OKish", "FAIL")[i % 3]
        rows.append(
            (row.task, row.model, row.precision, row.retriever, row.k, row.metric, published,
             row.value, row.ci_low, row.ci_high, row.value - published, 0.005, status,
             "made up, Table 1")
        )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS["replication"])
