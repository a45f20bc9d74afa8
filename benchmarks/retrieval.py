"""How fast and how lean retrieval is, against the tools that it replaces.

    python benchmarks/retrieval.py [--json FILE] [--quick] [--lamp-folder FOLDER] [--parts a,b]

Synthetic profiles: 500 users with 100 documents of about 120 words each. With `--lamp-folder` (a
folder with LaMP's `dev_questions.json` of LaMP-5; default: the environment variable QUANTRAG_DATA)
the comparisons run on those too. Peers are timed in the same run, in turn with ours; times are
medians of repeats. Each part runs in a process of its own.

`okapi`: only its speed; it is rank_bm25 itself. `lucene`: against one tiny index for each user.
`dense`: against the loop of LaMP's code. `memory`: time and peak memory of every kind, up to
500,000 documents of 150 words (`--sizes`, in thousands). `corpus`: a corpus that all queries share
(`--passages`, 150 words each), against Pyserini's own searcher and FAISS used directly.
`corpus_memory`: time and peak memory of it (`--most-passages`). `--quick` takes few users, only
synthetic ones, and leaves `memory` and `corpus_memory` out.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.parts import common
from benchmarks.parts.common import alone

KEYS = [
    "okapi_words_queries_per_s",
    "okapi_characters_queries_per_s",
    "lucene_index_docs_per_s",
    "lucene_queries_per_s",
    "dense_speedup_vs_lamp_loop",
    "dense_docs_per_s",
    "peak_gib_500k_docs",
    "corpus_lucene_indexing_ratio",
    "corpus_lucene_search_ratio",
    "corpus_faiss_search_ratio",
    "peak_gib_corpus",
]


def main() -> None:
    parser = common.parser_of(__doc__)
    parser.add_argument("--lamp-folder", type=Path, default=os.environ.get("QUANTRAG_DATA"))
    parser.add_argument("--parts", default="okapi,lucene,dense,memory,corpus,corpus_memory")
    parser.add_argument("--sizes", default="50,100,200,400,500", help="thousand documents")
    parser.add_argument("--passages", type=int, default=100_000, help="of the part corpus")
    parser.add_argument("--most-passages", type=int, default=1_000_000, help="of corpus_memory")
    common.run(measure, parser.parse_args())


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """All parts asked for; keys without a measurement are None."""
    parts, quick = arguments.parts.split(","), arguments.quick
    repeats = 1 if quick else 3
    print(f"medians of {repeats} runs, taking turns")
    numbers: dict[str, Any] = dict.fromkeys(KEYS)
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        users = 100 if quick else 500
        sets = {}
        if {"okapi", "lucene", "dense"} & set(parts):
            sets = data_sets(scratch, users, None if quick else arguments.lamp_folder)
        for name, folder in sets.items():
            if "okapi" in parts:
                numbers |= okapi(name, folder, users, repeats)
            if "lucene" in parts:
                numbers |= lucene(name, folder, users, repeats, quick)
            if "dense" in parts:
                numbers |= dense(name, folder, repeats, quick)
        if "memory" in parts and not quick:
            sizes = [int(size) for size in arguments.sizes.split(",")]
            numbers |= memory(scratch / "large", sizes)
        if "corpus" in parts:
            passages = 5_000 if quick else arguments.passages
            numbers |= corpus(scratch / "corpus", passages, repeats)
        if "corpus_memory" in parts and not quick:
            numbers |= corpus_memory(scratch / "most", arguments.most_passages)
    return numbers


def data_sets(scratch: Path, users: int, lamp: str | Path | None) -> dict[str, Path]:
    """Folders with tables, by what they hold; real ones last, so that their numbers count."""
    from benchmarks.parts import retrieval_data

    synthetic = scratch / "synthetic"
    alone(retrieval_data.write_synthetic, synthetic, users, 100, 120)
    found = {f"{users} users x 100 documents of about 120 words": synthetic}
    if lamp:
        lamp = Path(lamp)
        lamp = lamp if (lamp / "dev_questions.json").is_file() else lamp / "LaMP_5"
        retrieval_data.write_lamp(scratch / "lamp", lamp)
        found[f"{lamp.name}, dev"] = scratch / "lamp"
    return found


def okapi(name: str, folder: Path, users: int, repeats: int) -> dict[str, Any]:
    from benchmarks.parts import retrieval_okapi

    numbers = {}
    for tokens in ("words", "characters"):
        found = alone(retrieval_okapi.measure, folder, users, repeats, tokens)
        retrieval_okapi.report(name, tokens, found)
        if folder.name == "synthetic":
            numbers[f"okapi_{tokens}_queries_per_s"] = found["queries_per_s"]
    return numbers


def lucene(name: str, folder: Path, users: int, repeats: int, quick: bool) -> dict[str, Any]:
    from benchmarks.parts import retrieval_lucene

    found = alone(retrieval_lucene.measure, folder, users, 10 if quick else 50, repeats)
    retrieval_lucene.report(name, found)
    if folder.name != "synthetic":
        return {}
    return {
        "lucene_index_docs_per_s": found["collection"]["docs_per_s"],
        "lucene_queries_per_s": found["collection"]["queries_per_s"],
    }


def dense(name: str, folder: Path, repeats: int, quick: bool) -> dict[str, Any]:
    from benchmarks.parts import retrieval_dense

    users = 1 if quick else {"synthetic": 2, "lamp": 10}[folder.name]
    found = alone(retrieval_dense.measure, folder, users, repeats)
    retrieval_dense.report(f"{name}, {users} users", found)
    # The fastest arithmetic that keeps the ranking.
    kept = [d for d in retrieval_dense.DTYPES if found[d]["top5_agreement"] >= 0.99]
    best = max(kept, key=lambda dtype: found[dtype]["speedup"])
    return {
        "dense_speedup_vs_lamp_loop": found[best]["speedup"],
        "dense_docs_per_s": found[best]["docs_per_s"],
        "dense_dtype": best,
        "dense_top5_agreement": found[best]["top5_agreement"],
        "dense_speedup_processor_time": found[best]["speedup_processor"],
        "dense_speedup_float32": found["float32"]["speedup"],
    }


def memory(folder: Path, sizes: list[int]) -> dict[str, Any]:
    from benchmarks.parts import retrieval_data, retrieval_memory

    # The smaller sizes are the first users of the largest.
    alone(retrieval_data.write_synthetic, folder, 10 * max(sizes), 100, 150)
    by_size = {}
    for thousands in sizes:
        by_size[thousands] = retrieval_memory.measure(folder, thousands)
        retrieval_memory.report(thousands, by_size[thousands])
    retrieval_memory.report_growth(by_size)
    if 500 not in by_size:
        return {}
    peaks = {
        kind: max(cost.peak_gib for cost in by_size[500][kind].values()) for kind in by_size[500]
    }
    return {"peak_gib_500k_docs": max(peaks.values()), "peak_gib_500k_docs_by_kind": peaks}


def corpus(folder: Path, passages: int, repeats: int) -> dict[str, Any]:
    from benchmarks.parts import retrieval_corpus, retrieval_data

    # As many queries as a hundredth of the passages.
    alone(retrieval_data.write_synthetic, folder, passages // 100, 100, 150)
    lucene = alone(retrieval_corpus.lucene, folder, repeats)
    retrieval_corpus.report("Lucene", "Pyserini", lucene)
    faiss = alone(retrieval_corpus.faiss_flat, passages, passages // 100, repeats)
    retrieval_corpus.report("FAISS, flat", "FAISS", faiss)
    return {
        **{f"corpus_lucene_{key}": value for key, value in lucene.items()},
        **{f"corpus_faiss_{key}": value for key, value in faiss.items()},
    }


def corpus_memory(folder: Path, passages: int) -> dict[str, Any]:
    from benchmarks.parts import retrieval_corpus, retrieval_data

    alone(retrieval_data.write_synthetic, folder, passages // 100, 100, 150)
    found = retrieval_corpus.memory(folder)
    retrieval_corpus.report_memory(passages, found)
    peaks = {step: cost.peak_gib for step, cost in found.items()}
    return {"peak_gib_corpus": max(peaks.values()), "peak_gib_corpus_by_step": peaks}


if __name__ == "__main__":
    main()
