"""`lucene`, with both kinds of statistics, against one tiny index for each user."""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.parts.common import in_turn, show
from benchmarks.parts.retrieval_data import load
from quantrag.retrieval import jvm, lucene
from quantrag.retrieval.scopes import Scopes

ANALYSIS = {"analyzer": "english-porter", "keep_stopwords": False}


def build(folder: Path, texts: pa.Array, scopes: Scopes, statistics: str) -> None:
    lucene.build_index(folder, texts, scopes, statistics=statistics, **ANALYSIS)


def search(folder: Path, queries: pa.Array, scopes: Scopes, statistics: str) -> list:
    searcher = lucene.Searcher(folder, statistics=statistics, k1=0.9, b=0.4, **ANALYSIS)
    found = list(lucene.retrieve(searcher, queries.to_pylist(), scopes, None))
    searcher.close()
    return found


def measure(folder: Path, users: int, peer_users: int, repeats: int) -> dict:
    """Build and search the indexes of `users`; the tiny ones of the first `peer_users` alone."""
    jvm.start(heap_mb=1000)
    texts, queries, scopes = load(folder, users)
    few = load(folder, peer_users)

    def one_user(user: int) -> tuple[pa.Array, pa.Array, Scopes]:
        start, stop = few[2].slice_of(user)
        own = Scopes(bounds=np.array([0, stop - start]), of_query=np.array([0]))
        return few[0].slice(start, stop - start), few[1].slice(user, 1), own

    with tempfile.TemporaryDirectory() as temporary:
        scratch, results = Path(temporary), {}
        number = iter(range(10**6))
        # What the JVM compiles at the first run, it would otherwise be timed for.
        build(scratch / "warm", *few[::2], "collection")
        search(scratch / "warm", *few[1:], "collection")
        folders: dict[str, Path] = {}

        def build_new(kind: str) -> None:
            folders[kind] = scratch / f"{kind}{next(number)}"
            if kind == "tiny":
                for user in range(len(few[2])):
                    build(folders[kind] / str(user), *one_user(user)[::2], "collection")
            else:
                build(folders[kind], texts, scopes, kind)

        def search_built(kind: str) -> list:
            if kind != "tiny":
                return search(folders[kind], queries, scopes, kind)
            return [
                search(folders[kind] / str(user), *one_user(user)[1:], "collection")[0]
                for user in range(len(few[2]))
            ]

        kinds = ["collection", "profile", "tiny"]
        built, _, _ = in_turn(repeats, {k: lambda k=k: build_new(k) for k in kinds})
        found, _, rankings = in_turn(repeats, {k: lambda k=k: search_built(k) for k in kinds})
        for kind in kinds:
            own = few if kind == "tiny" else (texts, queries, scopes)
            results[kind] = {
                "docs_per_s": len(own[0]) / built[kind],
                "users_per_s": len(own[2]) / built[kind],
                "queries_per_s": len(own[1]) / found[kind],
            }
        first = {k: [int(rows[0]) for rows, _ in rankings[k]] for k in ("collection", "profile")}
        results["same_first"] = float(np.mean(np.equal(*first.values())))
    return results


def report(name: str, result: dict) -> None:
    rows = []
    for kind in ("collection", "profile", "tiny"):
        label = "one index for each user" if kind == "tiny" else f"ours, statistics: {kind}"
        rows += [
            (f"{label}: index", f"{result[kind]['docs_per_s']:,.0f} documents/s"),
            (f"{label}: index", f"{result[kind]['users_per_s']:,.0f} users/s"),
            (f"{label}: search", f"{result[kind]['queries_per_s']:,.0f} queries/s"),
        ]
    rows.append(("collection and profile: same first document", f"{result['same_first']:.0%}"))
    show(f"Lucene: {name}", rows)
