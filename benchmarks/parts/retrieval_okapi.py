"""How fast rank_bm25 ranks, tokenization included."""

from pathlib import Path

from benchmarks.parts.common import in_turn, show
from benchmarks.parts.retrieval_data import load
from quantrag.retrieval import okapi


def measure(folder: Path, users: int, repeats: int, tokens: str) -> dict[str, float]:
    """Documents, queries, and queries per second."""
    texts, queries, profiles = load(folder, users)

    def rank():
        return okapi.retrieve(texts, queries, profiles, tokens=tokens, parameters={}, depth=None)

    seconds, _, _ = in_turn(repeats, {"okapi": rank})
    n = len(queries)
    return {"documents": len(texts), "queries": n, "queries_per_s": n / seconds["okapi"]}


def report(name: str, tokens: str, result: dict[str, float]) -> None:
    show(
        f"BM25 of rank_bm25, {tokens}: {name}",
        [
            ("queries, documents", f"{result['queries']:,}, {result['documents']:,}"),
            ("speed, tokenization included", f"{result['queries_per_s']:,.0f} queries/s"),
        ],
    )
