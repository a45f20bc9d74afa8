"""Runs Lucene for tests, in a process of its own: nothing may fork once Java is up."""

import logging
import tempfile

import pyarrow as pa

from quantrag.retrieval import jvm, lucene
from quantrag.retrieval.scopes import scopes_of


def start() -> None:
    """Start Java, as the rules' scripts do."""
    logging.disable(logging.WARNING)
    jvm.start(heap_mb=300)


def java_version() -> str:
    """Version of the running Java."""
    from jnius import autoclass

    return autoclass("java.lang.System").getProperty("java.version")


def search(
    users: list[tuple[str, list[str], list[str]]],
    *,
    statistics: str = "collection",
    analyzer: str = "english-porter",
    keep_stopwords: bool = False,
    k1: float = 0.9,
    b: float = 0.4,
    depth: int | None = None,
    scopes_per_shard: int = 500,
    batch: int = 5_000,
) -> list[tuple[list[int], list[float]]]:
    """Index users given as (id, documents, queries), and rank all queries' profiles."""
    lucene.SCOPES_PER_SHARD, lucene.BATCH = scopes_per_shard, batch
    owners = [user for user, documents, _ in users for _ in documents]
    askers = [user for user, _, queries in users for _ in queries]
    scopes = scopes_of(
        pa.table({"scope_id": pa.array(askers, pa.string())}),
        pa.table({"scope_id": pa.array(owners, pa.string())}),
    )
    texts = pa.array([text for _, documents, _ in users for text in documents], pa.large_string())
    settings = {"statistics": statistics, "analyzer": analyzer, "keep_stopwords": keep_stopwords}
    with tempfile.TemporaryDirectory() as folder:
        lucene.build_index(folder, texts, scopes, **settings)
        searcher = lucene.Searcher(folder, **settings, k1=k1, b=b)
        queries = [query for _, _, queries in users for query in queries]
        if statistics == lucene.CORPUS:
            found = list(lucene.retrieve_from_corpus(searcher, queries, depth))
        else:
            found = list(lucene.retrieve(searcher, queries, scopes, depth))
        searcher.close()
    return [(rows.tolist(), scores.tolist()) for rows, scores in found]
