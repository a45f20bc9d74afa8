"""`okapi` against rank_bm25 built for each profile, tokenization included on both sides."""

from pathlib import Path

import numpy as np
from rank_bm25 import BM25Okapi

from benchmarks.parts.common import CORES, in_turn, show
from benchmarks.parts.retrieval_data import load, parts_of
from quantrag.retrieval import okapi
from quantrag.retrieval.okapi_block import Parameters
from quantrag.retrieval.profiles import Profiles


def measure(folder: Path, users: int, repeats: int, tokens: str) -> dict:
    """Rank once from the texts, and rank again over a kept token index."""
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
            threads=CORES,
        )

    ours()  # What is imported or set up at the first use isn't timed.
    seconds, processor, results = in_turn(repeats, {"peer": peer, "ours": ours})
    index = okapi.TokenIndex(texts, profiles, tokens, CORES)
    terms = index.look_up(queries)
    further, _, _ = in_turn(
        max(repeats, 5),
        {
            "parameters": lambda: index.rank(terms, Parameters(k1=0.9, b=0.4)),
            "queries": lambda: index.rank(index.look_up(queries), Parameters()),
        },
    )
    n = len(asked)
    return {
        "peer_per_s": n / seconds["peer"],
        "ours_per_s": n / seconds["ours"],
        "speedup": seconds["peer"] / seconds["ours"],
        "speedup_processor": processor["peer"] / processor["ours"],
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


def report(name: str, tokens: str, result: dict) -> None:
    show(
        f"BM25 of rank_bm25, {tokens}: {name}",
        [
            ("rank_bm25 for each profile", f"{result['peer_per_s']:,.0f} queries/s"),
            ("ours, tokenization included", f"{result['ours_per_s']:,.0f} queries/s"),
            ("speed-up end to end", f"{result['speedup']:.1f} x"),
            ("the same in processor time", f"{result['speedup_processor']:.1f} x"),
            ("further ranking, other k1 and b: speed-up", f"{result['other_parameters']:,.0f} x"),
            ("further ranking, other queries: speed-up", f"{result['other_queries']:,.0f} x"),
            ("rankings identical up to ties (scores to 1e-9)", str(result["identical"])),
        ],
    )
