"""A synthetic experiment on disk, of any size, with the files that the report is made from."""

import json
import random
from pathlib import Path

import pandas as pd

import figure_tables
from quantrag.grid import K, cells_of
from quantrag.names import NOISE_FLOOR
from quantrag.presentation.report.assemble import ReportFiles
from quantrag.scoring.score import score_task
from quantrag.statistics.trends import ALL
from quantrag.tables import write_csv, write_table
from quantrag.tasks.registry import load
from quantrag.tasks.schemas import DOCUMENTS

EVIL = (
    "</script><script>document.title = 'broken'</script>"
    "<img src=x onerror=\"document.title = 'broken'\"> & <b>bold</b>"
)
WORDS = [
    *["a", "fast", "slow", "model", "of", "language", "for", "the", "small", "large", "query"],
    *["index", "cache", "graph", "neural", "text", "data", "learning", "with", "under"],
    *["noise", "bound", "search", "parallel", "memory", "sparse", "dense", "token", "ranking"],
]
QUESTIONS = {"kind": "questions", "answer": "text", "labels": None, "group": None}
#: Tokens in a document of the larger grids: 4 characters each.
DOCUMENT_TOKENS = 80


def make(
    folder: Path,
    *,
    models=1,
    precisions=2,
    retrievers=2,
    ks=("0", "1", "3"),
    queries=6,
    words=8,
    noise=True,
    corpus=False,
    seed=0,
) -> tuple[ReportFiles, dict]:
    """Write an experiment of the two tasks LaMP-3U and LaMP-5U.

    Args:
        folder: where to.
        models, precisions, retrievers, ks, queries: the grid; k as in the config.
        words: of a document.
        noise: whether the baseline ran twice.
        corpus: the one task is questions on a shared corpus in place of LaMP's.
        seed: of everything.

    Returns:
        The files, and the configuration with the keys that the report reads.
    """
    rng = random.Random(seed)
    tables = figure_tables.make(2, models, precisions, retrievers, len(ks), noise=noise, seed=seed)
    renamed = dict(zip(figure_tables.KS[: len(ks) - 1] + figure_tables.KS[-1:], ks, strict=True))
    tasks = {"handbook": QUESTIONS} if corpus else {"LaMP-3U": {"lamp": 3}, "LaMP-5U": {"lamp": 5}}
    paths = {}
    for name, table in tables.items():
        if "k" in table:
            table = table.assign(k=table["k"].map({**renamed, ALL: ALL}))
        if corpus and "task" in table:
            table = table[table["task"] == "LaMP-5U"].assign(task="handbook")
        if (name == "evidence" and not corpus) or (name == "retrievers" and retrievers < 2):
            continue
        paths[name] = str(folder / "tables" / f"{name}.csv")
        write_csv(table, paths[name])
    model_names = list(figure_tables.MODELS[:models])
    run_names = [*figure_tables.PRECISIONS[:precisions], *([NOISE_FLOOR] if noise else [])]
    retriever_names = list(figure_tables.RETRIEVERS[:retrievers])
    grid = cells_of(tasks, retriever_names, [K.parse(k) for k in ks])
    lists = {
        "queries": {},
        "documents": {},
        "prompts": [],
        "completions": [],
        "scores": [],
        "costs": [],
    }
    answers, facts = {}, {}
    for task, entry in tasks.items():
        lamp = entry.get("lamp")
        ids = [f"{lamp or 'q'}{i:04}" for i in range(queries)]
        golds = [str(rng.randint(1, 5)) if lamp == 3 else _text(rng, 6) for _ in ids]
        facts[task] = pd.DataFrame(
            {
                "query_id": ids,
                "cluster_id": [f"u{i}" for i in ids],
                "input": ids,
                "golds": [[gold] for gold in golds],
            }
        )
        most = max((_documents(k) for k in ks), default=1)
        profiles = {i: [f"- {_text(rng, words)}\n" for _ in range(most + 4)] for i in ids}
        if corpus:
            shared = pd.DataFrame(
                [
                    (f"{WORDS[i]}.md#{i}-{i + 9}", "corpus", f"{_text(rng, 90)} {EVIL}",
                     f"About {_text(rng, 2)}", "")
                    for i in range(most + 4)
                ],
                columns=DOCUMENTS.names,
            )  # fmt: skip
            profiles = {i: [f"{text}\n\n" for text in shared["text"]] for i in ids}
            facts[task] = facts[task].assign(
                evidence=[[name] if i % 4 else [] for i, name in enumerate(
                    rng.choice(shared["document_id"]) for _ in ids
                )],
                query_text=[f"What is {_text(rng, 3)}?" for _ in ids],
                metadata=[json.dumps({"section": rng.choice(["howto", "faq"])}) for _ in ids],
            )  # fmt: skip
            path = folder / "tasks" / task / "documents.parquet"
            write_table(shared, path)
            lists["documents"][task] = str(path)
        path = folder / "tasks" / task / "queries.parquet"
        write_table(facts[task], path)
        lists["queries"][task] = str(path)
        cells = [cell for cell in grid if cell.task == task]
        for model in model_names:
            for retriever in dict.fromkeys(cell.retriever for cell in cells):
                own = [cell for cell in cells if cell.retriever == retriever]
                shown = [str(cell.k) for cell in own]
                frame = _prompts(rng, task, model, ids, shown, profiles, lamp)
                if corpus:
                    frame["document_ids"] = [
                        [shared["document_id"][int(name.rpartition("-")[2])] for name in own]
                        for own in frame["document_ids"]
                    ]
                path = folder / "prompts" / model / task / f"{retriever}.parquet"
                write_table(frame, path)
                lists["prompts"].append(str(path))
                for cell in own:
                    for precision in run_names:
                        answers[model, precision, cell] = _completions(rng, ids, golds, lamp)
    for model in model_names:
        for precision in run_names:
            origin = _origin(model, precision)
            parts = []
            for task, entry in tasks.items():
                cells = [cell for cell in grid if cell.task == task]
                frames = [answers[model, precision, cell] for cell in cells]
                for cell, frame in zip(cells, frames, strict=True):
                    path = folder / "completions" / model / precision / cell.file
                    write_table(frame, path, {"provenance": json.dumps(origin)})
                    lists["completions"].append(str(path))
                parts.append(
                    score_task(frames, cells, facts[task], task=load(task, entry), rule="lenient")
                )
            path = folder / "scores" / model / f"{precision}.parquet"
            write_table(pd.concat(parts, ignore_index=True), path)
            lists["scores"].append(str(path))
            path = folder / "costs" / model / f"{precision}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({**_costs(), "provenance": origin}))
            lists["costs"].append(str(path))
    path = folder / "benchmarks" / "generate" / "model.tsv"
    path.parent.mkdir(parents=True)
    path.write_text("s\th:m:s\tmax_rss\n61.5\t0:01:01\t2000.0\n")
    config = {
        "experiment": "synthetic",
        "seed": seed,
        "baseline": "fp16",
        "noise_floor": noise,
        "tasks": {
            task: {**entry, "source": {"kind": "local", "folder": "x"}}
            for task, entry in tasks.items()
        },
        "models": {m: {"source": {"kind": "folder", "folder": "x"}} for m in model_names},
        "prompts": {"style": "rag" if corpus else "paper"},
        "statistics": {"confidence": 0.95, "margin": 0.02, "power": 0.8},
    }
    return ReportFiles(tables=paths, benchmarks=str(folder / "benchmarks"), **lists), config


def _text(rng, words):
    return " ".join(rng.choice(WORDS) for _ in range(words))


def _documents(k):
    k = K.parse(k)
    return k.number * 1024 // DOCUMENT_TOKENS if k.fills else k.number


def _prompts(rng, task, model, ids, ks, profiles, lamp):
    rows = []
    for query_id in ids:
        ranked = rng.sample(range(len(profiles[query_id])), len(profiles[query_id]))
        for k in ks:
            kept = ranked[: _documents(k)]
            documents = "".join(profiles[query_id][i] for i in kept)
            prompt = f"[INST] {model}\n{documents}\n\nquery {query_id} of {task} {EVIL} [/INST]"
            names = [f"{lamp}-{query_id}-{i}" for i in kept]
            rows.append((query_id, k, prompt, len(prompt) // 4, names, 0, False))
    columns = ["query_id", "k", "prompt", "n_tokens", "document_ids", "dropped", "truncated"]
    return pd.DataFrame(rows, columns=columns)


def _completions(rng, ids, golds, lamp):
    texts = []
    for gold in golds:
        if lamp == 3:
            texts.append(rng.choice([gold, gold, str(rng.randint(1, 5)), f"no idea {EVIL}"]))
        else:
            words = gold.split()
            words[rng.randrange(len(words))] = rng.choice(WORDS)
            texts.append(" ".join(words) if rng.random() < 0.8 else f"{gold} {EVIL}")
    return pd.DataFrame({"query_id": ids, "text": texts, "prompt_tokens": 100})


def _origin(model, precision):
    return {
        "model": model,
        "precision": precision,
        "identity": {
            "checkpoint": "0123456789abcdef" * 4,
            "dtype": "float16",
            "kv_cache_dtype": "auto",
            "engine": "vllm",
            "engine_version": "0.0",
            "options": {"enforce_eager": False},
            "sampling": {"max_new_tokens": 64, "stop_token_ids": [2]},
        },
        "checkpoint_source": {"kind": "huggingface", "repo": "a/b", "revision": "c" * 40},
        "order": "engine",
        "environments": [
            {"device": "a GPU", "driver": "1.2", "python": "3.11.14", "packages": {"torch": "2"},
             "git_commit": "d" * 40}
        ],
        "engine_reports": [{}],
    }  # fmt: skip


def _costs():
    return {
        "load_s": 12.5, "prompt_tokens": 1000, "output_tokens": 100, "prompt_tokens_per_s": 50.0,
        "output_tokens_per_s": 5.0, "memory_gib": 2.5, "peak_memory_gib": 3.5, "energy_wh": None,
    }  # fmt: skip
