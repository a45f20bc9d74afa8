"""Time and peak memory of every kind of retriever, step by step as the workflow's rules.

Each step runs in a process of its own, as a rule does; a kind's peak is that of its worst step.
500,000 documents are more than an encoder on a CPU gets through in a day, and its arithmetic
doesn't depend on their number: the encoder computes its first batches (the longest, which take the
most memory) and draws the others' vectors at random, as long as Contriever's.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.parts import retrieval_lucene
from benchmarks.parts.common import alone, peak_gib, show
from benchmarks.parts.retrieval_data import ENCODER, load, load_queries, tables
from quantrag.retrieval.runs import run_table
from quantrag.retrieval.scopes import scopes_of
from quantrag.tables import read_arrow, write_table

COMPUTED_BATCHES = 3
DIMENSION = 768
HEAP_MB = 1000


def write_run(data: Path, users: int, scratch: Path, rankings) -> None:
    ids = read_arrow(data / "documents.parquet", ["document_id"])["document_id"]
    query_ids = read_arrow(data / "queries.parquet", ["query_id"])["query_id"].slice(0, users)
    write_table(run_table(query_ids, ids, rankings), scratch / "run.parquet")


def index_lucene(data: Path, users: int, scratch: Path, statistics: str) -> None:
    from quantrag.retrieval import jvm

    jvm.start(heap_mb=HEAP_MB)
    texts, _, scopes = load(data, users)
    retrieval_lucene.build(scratch / "index", texts, scopes, statistics)


def search_lucene(data: Path, users: int, scratch: Path, statistics: str) -> None:
    from quantrag.retrieval import jvm

    jvm.start(heap_mb=HEAP_MB)
    queries, scopes = load_queries(data, users)
    rankings = retrieval_lucene.search(scratch / "index", queries, scopes, statistics)
    write_run(data, users, scratch, rankings)


def rank_okapi(data: Path, users: int, scratch: Path, tokens: str) -> None:
    from quantrag.retrieval import okapi

    texts, queries, scopes = load(data, users)
    rankings = okapi.retrieve(texts, queries, scopes, tokens=tokens, parameters={}, depth=None)
    write_run(data, users, scratch, rankings)


def encoder_of_few():
    """The real encoder for its first batches, random vectors of `DIMENSION` for all others."""
    from quantrag.model_files import package_folder
    from quantrag.retrieval.encoder import Encoder, EncodingOptions

    encoder = Encoder(package_folder(ENCODER), EncodingOptions("mean", True, None, "auto"))
    compute, rng, done = encoder.encode, np.random.default_rng(0), iter(range(COMPUTED_BATCHES))

    def encode(batch: list[np.ndarray]) -> np.ndarray:
        if next(done, None) is not None:
            compute(batch)
        return rng.standard_normal((len(batch), DIMENSION), dtype=np.float32)

    encoder.dimension, encoder.encode = DIMENSION, encode
    return encoder


def encode_documents(data: Path, users: int, scratch: Path) -> None:
    from quantrag.retrieval import vectors

    texts, _, _ = load(data, users)
    vectors.encode_to_folder(encoder_of_few(), texts, scratch / "vectors")


def index_faiss(data: Path, users: int, scratch: Path) -> None:
    from quantrag.retrieval import faiss_index, vectors

    faiss_index.build_index(*vectors.read_vectors(scratch / "vectors"), scratch / "index")


def search_dense(data: Path, users: int, scratch: Path) -> None:
    from quantrag.retrieval import faiss_index, vectors

    queries, scopes = load_queries(data, users)
    asked = vectors.encode(encoder_of_few(), queries)
    index = faiss_index.read_index(scratch / "index")
    rankings = list(faiss_index.retrieve(index, asked, scopes, None))
    write_run(data, users, scratch, rankings)


def rank_by_order(data: Path, users: int, scratch: Path, by: str) -> None:
    from quantrag.retrieval import order

    queries, documents = tables(data, users, ["scope_id"])
    scopes = scopes_of(queries, documents)
    dates = [f"{2000 + row * 7 % 25}-06-01" for row in range(len(documents))]
    ids = queries["query_id"].to_pylist()
    rankings = order.retrieve(by, ids, dates, scopes, seed=0, depth=None)
    write_run(data, users, scratch, rankings)


#: The steps of each kind: name, function and what it takes beside data, users and folder.
KINDS: dict[str, list[tuple[str, Callable, tuple]]] = {
    "lucene, collection": [
        ("index", index_lucene, ("collection",)),
        ("search", search_lucene, ("collection",)),
    ],
    "lucene, profile": [
        ("index", index_lucene, ("profile",)),
        ("search", search_lucene, ("profile",)),
    ],
    "okapi, words": [("rank", rank_okapi, ("words",))],
    "okapi, characters": [("rank", rank_okapi, ("characters",))],
    "dense": [
        ("encode", encode_documents, ()),
        ("index", index_faiss, ()),
        ("search", search_dense, ()),
    ],
    "order, recency": [("rank", rank_by_order, ("recency",))],
    "order, random": [("rank", rank_by_order, ("random",))],
}


class Cost(NamedTuple):
    """What a step took: seconds, processor seconds of all its threads, peak memory in GiB."""

    seconds: float
    processor_s: float
    peak_gib: float


def costed(function: Callable, *arguments) -> Cost:
    """Run a step in the process that this is called in."""
    start = time.perf_counter()
    function(*arguments)
    return Cost(time.perf_counter() - start, time.process_time(), peak_gib())


def measure(data: Path, thousands: int) -> dict[str, dict[str, Cost]]:
    """What each step of each kind takes, over the first thousands of documents."""
    found: dict[str, dict[str, Cost]] = {}
    for kind, steps in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            found[kind] = {
                name: alone(costed, function, data, 10 * thousands, Path(folder), *arguments)
                for name, function, arguments in steps
            }
    return found


def report(thousands: int, found: dict[str, dict[str, Cost]]) -> None:
    rows = [
        (
            f"{kind}: {step}",
            f"{cost.seconds:.1f} s, {cost.processor_s:.1f} s, {cost.peak_gib:.2f} GiB",
        )
        for kind, steps in found.items()
        for step, cost in steps.items()
    ]
    size = f"{thousands},000 documents of about 150 words, {10 * thousands:,} users"
    show(f"{size}: time, processor time, peak memory", rows)


def report_growth(by_size: dict[int, dict[str, dict[str, Cost]]]) -> None:
    """Processor time for 1,000 documents at each size: the same where growth is linear."""
    rows = []
    for kind in KINDS:
        per_thousand = [
            1000 * sum(cost.processor_s for cost in found[kind].values()) / thousands
            for thousands, found in by_size.items()
        ]
        rows.append((kind, "  ".join(f"{each:.0f}" for each in per_thousand)))
    sizes = ", ".join(f"{thousands},000" for thousands in by_size)
    show(f"milliseconds of the processor for each 1,000 documents, at {sizes}", rows)
