"""How long scoring and statistics take on the paper's grid, with synthetic answers.

    python benchmarks/analysis.py [--json FILE] [--quick] [--workers 2]

The grid: 6 models x 2 precisions x 2 tasks x (1 + 3 retrievers x 5 k) = 384 cells of 2,500 answers.
Scoring reads completions and writes scores as the rule `score` does, one process for each of
`--workers` checkpoints at a time. The tables are computed one after the other, as the rules
`summarize_scores`, `compare` and `trend` do, in one process whose peak memory is reported. For
comparison, a loop over `scipy.stats.bootstrap` (BCa intervals of 10,000 draws) is timed on a few of
the scores and multiplied by their number. `--quick` takes two of the models, and leaves the seconds
of the whole grid empty.
"""

import argparse
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pandas as pd
from scipy import stats

from benchmarks.parts import common
from quantrag.grid import K, cells_of
from quantrag.scoring.score import score_task
from quantrag.statistics.comparisons import compare, pool
from quantrag.statistics.score_arrays import load_score_arrays
from quantrag.statistics.summaries import summarize
from quantrag.statistics.trends import trend
from quantrag.tables import read_table, write_csv, write_table
from quantrag.tasks.answers import RATING
from quantrag.tasks.registry import load_all

MODELS = [f"model-{letter}" for letter in "abcdef"]
PRECISIONS = ["fp16", "int4"]
TASKS = load_all({"LaMP-3U": {"lamp": 3}, "LaMP-5U": {"lamp": 5}})
TOKENS = {"0": 300, "1": 450, "3": 750, "5": 1000, "max_4K": 3900, "max_8K": 7800}
CELLS = cells_of(
    [task.name for task in TASKS], ["bm25", "contriever", "dpr"], [K.parse(k) for k in TOKENS]
)
QUERIES = 2500
DRAWS, PERMUTATIONS = 10_000, 100_000
COLUMNS = ["query_id", "text", "prompt_tokens"]


def title(rng: np.random.Generator, words: np.ndarray) -> str:
    return " ".join(words[rng.integers(len(words), size=rng.integers(5, 16))])


def write_grid(folder: Path, models: list[str]) -> None:
    """Queries and completions: titles of 5 to 15 words, now and then an answer of 45 words."""
    rng = np.random.default_rng(0)
    words = np.array([f"word{i}" for i in range(3000)])
    ids = [f"q{i}" for i in range(QUERIES)]
    for task in TASKS:
        are_ratings = task.answer == RATING
        golds = rng.integers(1, 6, QUERIES).astype(str) if are_ratings else None
        golds = [title(rng, words) for _ in ids] if golds is None else golds
        queries = pd.DataFrame(
            {"query_id": ids, "cluster_id": ids, "golds": [[gold] for gold in golds]}
        )
        write_table(queries, folder / f"{task.name}.parquet")
        for model in models:
            for cell in (cell for cell in CELLS if cell.task == task.name):
                tokens = (TOKENS[str(cell.k)] * rng.uniform(0.8, 1.2, QUERIES)).astype(np.int32)
                answers = None
                for precision in PRECISIONS:
                    if are_ratings:
                        fresh = [f"Rating: {number}" for number in rng.integers(1, 6, QUERIES)]
                    else:
                        fresh = [answer(rng, gold, words) for gold in golds]
                    # The quantized model gives every other answer again.
                    same = rng.random(QUERIES) < 0.5
                    answers = fresh if answers is None else list(np.where(same, answers, fresh))
                    frame = pd.DataFrame(
                        {"query_id": ids, "text": answers, "prompt_tokens": tokens}
                    )
                    if are_ratings:
                        frame["likelihoods"] = of_ratings(rng)
                    path = folder / model / precision / cell.file
                    write_table(frame, path)


def answer(rng: np.random.Generator, gold: str, words: np.ndarray) -> str:
    text = " ".join([*gold.split()[:5], title(rng, words)])
    return f'Title: "{text}"' if rng.random() < 0.9 else " ".join([text] * 3)


def of_ratings(rng: np.random.Generator) -> list[list[dict[str, object]]]:
    logprobs = np.log(rng.dirichlet(np.ones(5), size=QUERIES))
    return [[{"logprobs": [p], "top": [p == max(row)]} for p in row] for row in logprobs.tolist()]


def score_checkpoint(folder: Path, model: str, precision: str) -> None:
    """What the rule `score` does."""
    parts = []
    for task in TASKS:
        columns = [*COLUMNS, "likelihoods"] if task.answer == RATING else COLUMNS
        cells = [cell for cell in CELLS if cell.task == task.name]
        frames = [read_table(folder / model / precision / cell.file, columns) for cell in cells]
        queries = read_table(folder / f"{task.name}.parquet")
        parts.append(score_task(frames, cells, queries, task=task, rule="lenient"))
    scores = pd.concat(parts, ignore_index=True)
    scores.insert(1, "model", model)
    scores.insert(2, "precision", precision)
    write_table(scores, folder / "scores" / model / f"{precision}.parquet")


def score_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("scores/*/*.parquet"))


def make_tables(folder: Path) -> dict[str, float]:
    """What the rules of the tables do. Returns seconds of each, and the process's peak GiB."""
    shared = {"policy": "worst_case", "confidence": 0.95}
    compared = {"baseline": "fp16", "margin": 0.02, "power": 0.8}
    tables = {
        "scores": lambda grid: summarize(grid, **shared, draws=DRAWS, seed=0),
        "comparisons": lambda grid: compare(
            grid, **shared, **compared, permutations=PERMUTATIONS, seed=0
        ),
        "pooled": lambda grid: pool(grid, **shared, **compared),
        "trends": lambda grid: trend(grid, **shared, baseline="fp16"),
    }
    seconds = {}
    for name, make in tables.items():
        start = time.perf_counter()
        grids = load_score_arrays(score_files(folder), TASKS)
        write_csv(pd.concat([make(grid) for grid in grids]), folder / f"{name}.csv")
        seconds[name] = time.perf_counter() - start
    return {**seconds, "peak_gib": common.peak_gib()}


def speedup(folder: Path, sample: int = 4) -> float:
    """Our time for all intervals of scores.csv, against a loop over scipy's bootstrap."""
    grids = load_score_arrays(score_files(folder), TASKS)
    start = time.perf_counter()
    tables = [
        summarize(grid, policy="worst_case", confidence=0.95, draws=DRAWS, seed=0) for grid in grids
    ]
    ours = time.perf_counter() - start
    intervals = sum(2 * len(table) for table in tables)  # two policies
    errors = grids[0].scores["squared_error"]
    start = time.perf_counter()
    for row in range(sample):
        stats.bootstrap(
            (errors[row],),
            lambda values, axis: np.sqrt(np.mean(values, axis=axis)),
            n_resamples=DRAWS,
            batch=500,
            method="BCa",
            rng=np.random.default_rng(row),
        )
    return (time.perf_counter() - start) / sample * intervals / ours


def main() -> None:
    parser = common.parser_of(__doc__)
    parser.add_argument("--workers", type=int, default=2, help="checkpoints scored at a time")
    common.run(measure, parser.parse_args())


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    models = MODELS[:2] if arguments.quick else MODELS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_grid(folder, models)
        start = time.perf_counter()
        with ProcessPoolExecutor(arguments.workers, get_context("spawn")) as pool:
            jobs = [pool.submit(score_checkpoint, folder, m, p) for m in models for p in PRECISIONS]
            for done in jobs:
                done.result()
        scoring = time.perf_counter() - start
        tables = common.alone(make_tables, folder)
        peak = tables.pop("peak_gib")
        faster = speedup(folder)
    common.show(
        f"{len(models)} models x 2 precisions x 2 tasks, 16 cells of {QUERIES:,} answers each",
        [
            ("scoring", f"{scoring:.1f} s"),
            *((f"tables/{table}.csv", f"{seconds:.1f} s") for table, seconds in tables.items()),
            ("tables: peak memory", f"{peak:.2f} GiB"),
            ("intervals: speed-up over a loop of scipy.stats.bootstrap", f"{faster:.1f} x"),
        ],
    )
    whole = not arguments.quick
    return {
        "scoring_seconds_paper_grid": round(scoring, 1) if whole else None,
        "tables_seconds_paper_grid": round(sum(tables.values()), 1) if whole else None,
        "tables_peak_gib": round(peak, 2),
        "speedup_vs_scipy_loop": round(faster, 1),
    }


if __name__ == "__main__":
    main()
