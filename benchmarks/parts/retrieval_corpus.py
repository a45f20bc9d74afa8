"""A shared corpus: against Pyserini's own indexer and searcher, and FAISS used directly."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pyarrow as pa

from benchmarks.parts import retrieval_lucene
from benchmarks.parts.common import CORES, alone, in_turn, show
from benchmarks.parts.retrieval_data import tables
from benchmarks.parts.retrieval_memory import Cost, costed
from quantrag.retrieval.scopes import Scopes

DEPTH = 100
QUERY_WORDS = 10
DIMENSION = 384
HEAP_MB = 2_000


def load(folder: Path) -> tuple[pa.Array, list[str], Scopes]:
    """Texts of one corpus, and short queries."""
    queries, documents = tables(folder)
    asked = [" ".join(text.split()[:QUERY_WORDS]) for text in queries["query_text"].to_pylist()]
    texts = documents["text"].cast(pa.large_string()).combine_chunks()
    bounds, owners = np.array([0, len(texts)]), np.zeros(len(asked), dtype=np.int64)
    return texts, asked, Scopes(bounds=bounds, of_query=owners)


def open_searcher(folder: Path):
    from quantrag.retrieval import lucene

    return lucene.Searcher(folder, statistics="corpus", k1=0.9, b=0.4, **retrieval_lucene.ANALYSIS)


def lucene(folder: Path, repeats: int) -> dict[str, float]:
    """Passages and queries per second, ours and Pyserini's, with the same index contents."""
    from quantrag.retrieval import jvm
    from quantrag.retrieval import lucene as ours

    jvm.start(heap_mb=HEAP_MB)
    # Imported with Pyserini's searcher though it doesn't need them: its encoders want ONNX, which
    # the demo's environment lacks, and a key of OpenAI's.
    sys.modules["pyserini.encode"] = MagicMock()
    from pyserini.index.lucene import LuceneIndexer
    from pyserini.search.lucene import LuceneSearcher

    texts, queries, scopes = load(folder)
    ids = [str(number) for number in range(len(queries))]
    with tempfile.TemporaryDirectory() as temporary:
        scratch, number, built = Path(temporary), iter(range(10**6)), {}

        def build() -> None:
            built["ours"] = scratch / f"ours{next(number)}"
            retrieval_lucene.build(built["ours"], texts, scopes, "corpus")

        def build_peer() -> None:
            built["peer"] = scratch / f"peer{next(number)}"
            indexer = LuceneIndexer(str(built["peer"]), threads=1)
            for start in range(0, len(texts), ours.BATCH):
                batch = texts.slice(start, ours.BATCH).to_pylist()
                indexer.add_batch_dict(
                    # Ids that sort as the rows do: ties are then broken as ours are.
                    [
                        {"id": f"{row:010d}", "contents": text}
                        for row, text in enumerate(batch, start)
                    ]
                )
            indexer.close()

        build()  # Java compiles what it runs first.
        indexing, _, _ = in_turn(repeats, {"ours": build, "peer": build_peer})
        searcher, peer = open_searcher(built["ours"]), LuceneSearcher(str(built["peer"]))
        peer.set_bm25(0.9, 0.4)
        searches: dict[str, Callable] = {
            "ours": lambda: list(ours.retrieve_from_corpus(searcher, queries, DEPTH)),
            "search": lambda: [peer.search(query, k=DEPTH) for query in queries],
            "batch": lambda: peer.batch_search(queries, ids, k=DEPTH, threads=1),
            "threads": lambda: peer.batch_search(queries, ids, k=DEPTH, threads=CORES),
        }
        for search in searches.values():
            search()
        searching, _, found = in_turn(repeats, searches)
        same = [
            rows.tolist() == [int(hit.docid) for hit in hits]
            for (rows, _), hits in zip(found["ours"], found["search"], strict=True)
        ]
        searcher.close()
    return {
        "passages": len(texts),
        "passages_per_s": len(texts) / indexing["ours"],
        "indexing_ratio": indexing["peer"] / indexing["ours"],
        "queries_per_s": len(queries) / searching["ours"],
        "search_ratio": searching["search"] / searching["ours"],
        "batch_ratio": searching["batch"] / searching["ours"],
        "threads_ratio": searching["threads"] / searching["ours"],
        "same_rankings": float(np.mean(same)),
    }


def faiss_flat(passages: int, n_queries: int, repeats: int) -> dict[str, float]:
    """Passages and queries per second, ours and FAISS's own, over the same random vectors."""
    import faiss

    from quantrag.retrieval import faiss_index

    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((passages, DIMENSION), dtype=np.float32)
    queries = rng.standard_normal((n_queries, DIMENSION), dtype=np.float32)
    of_document = np.arange(passages)
    with tempfile.TemporaryDirectory() as temporary:
        scratch = Path(temporary)

        def build_peer() -> None:
            index = faiss.IndexFlatIP(DIMENSION)
            index.add(vectors)
            faiss.write_index(index, str(scratch / "peer"))

        build = {
            "ours": lambda: faiss_index.build_index(vectors, of_document, scratch / "ours"),
            "peer": build_peer,
        }
        # Fractions of a second, which the disk's speed dominates.
        indexing, _, _ = in_turn(4 * repeats, build)
        own, peer = (
            faiss_index.read_index(scratch / "ours"),
            faiss.read_index(str(scratch / "peer")),
        )
        peer.search(queries[:1], DEPTH)  # Into memory.
        searching, processor, _ = in_turn(
            4 * repeats,
            {
                "ours": lambda: list(faiss_index.retrieve_from_corpus(own, queries, DEPTH)),
                "peer": lambda: peer.search(queries, DEPTH),
            },
        )
    return {
        "passages": passages,
        "passages_per_s": passages / indexing["ours"],
        "indexing_ratio": indexing["peer"] / indexing["ours"],
        "queries_per_s": n_queries / searching["ours"],
        "search_ratio": searching["peer"] / searching["ours"],
        "search_processor_ratio": processor["peer"] / processor["ours"],
    }


def index_lucene(folder: Path, scratch: Path) -> None:
    from quantrag.retrieval import jvm

    jvm.start(heap_mb=HEAP_MB)
    texts, _, scopes = load(folder)
    retrieval_lucene.build(scratch / "lucene", texts, scopes, "corpus")


def search_lucene(folder: Path, scratch: Path) -> None:
    from quantrag.retrieval import jvm, lucene

    jvm.start(heap_mb=HEAP_MB)
    _, queries, _ = load(folder)
    list(lucene.retrieve_from_corpus(open_searcher(scratch / "lucene"), queries, DEPTH))


def encode_documents(folder: Path, scratch: Path) -> None:
    from benchmarks.parts.retrieval_memory import encoder_of_few
    from quantrag.retrieval import vectors

    vectors.encode_to_folder(encoder_of_few(), load(folder)[0], scratch / "vectors")


def index_faiss(folder: Path, scratch: Path) -> None:
    from quantrag.retrieval import faiss_index, vectors

    faiss_index.build_index(*vectors.read_vectors(scratch / "vectors"), scratch / "faiss")


def search_faiss(folder: Path, scratch: Path) -> None:
    from quantrag.retrieval import faiss_index

    index = faiss_index.read_index(scratch / "faiss")
    queries = np.random.default_rng(1).standard_normal((1_000, index.d), dtype=np.float32)
    list(faiss_index.retrieve_from_corpus(index, queries, DEPTH))


STEPS = (index_lucene, search_lucene, encode_documents, index_faiss, search_faiss)


def memory(folder: Path) -> dict[str, Cost]:
    """What each step takes, in a process of its own; the encoder's arithmetic is left out."""
    with tempfile.TemporaryDirectory() as scratch:
        return {step.__name__: alone(costed, step, folder, Path(scratch)) for step in STEPS}


def report(name: str, peer: str, found: dict[str, float]) -> None:
    rows = [
        ("index", f"{found['passages_per_s']:,.0f} passages/s"),
        (f"index: speed relative to {peer}", f"{found['indexing_ratio']:.2f} x"),
        ("search", f"{found['queries_per_s']:,.0f} queries/s"),
        (f"search: speed relative to {peer}", f"{found['search_ratio']:.2f} x"),
    ]
    if "batch_ratio" in found:
        rows += [
            ("search: relative to its batch_search, 1 thread", f"{found['batch_ratio']:.2f} x"),
            (
                f"search: relative to its batch_search, {CORES} threads",
                f"{found['threads_ratio']:.2f} x",
            ),
            ("same rankings", f"{found['same_rankings']:.1%}"),
        ]
    if "search_processor_ratio" in found:
        rows.append(
            ("search: the same in processor time", f"{found['search_processor_ratio']:.2f} x")
        )
    show(f"{name}: a corpus of {found['passages']:,.0f} passages", rows)


def report_memory(passages: int, found: dict[str, Cost]) -> None:
    rows = [
        (step, f"{cost.seconds:.1f} s, {cost.processor_s:.1f} s, {cost.peak_gib:.2f} GiB")
        for step, cost in found.items()
    ]
    show(f"A corpus of {passages:,} passages: time, processor time, peak memory", rows)
