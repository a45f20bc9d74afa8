"""BM25 as the package rank_bm25 computes it, for all profiles: LaMP's official ranking.

The formula stands in `quantrag.retrieval.okapi_block`. Profiles are worked on in blocks: small
enough for little memory and the processor's caches, large enough that Python's overhead is lost in
them. Blocks don't depend on each other, so threads can share them out.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tqdm import tqdm

from quantrag.retrieval.okapi_block import (
    Block,
    Parameters,
    QueryTerms,
    build_block,
    look_up,
    scores,
)
from quantrag.retrieval.profiles import Profiles
from quantrag.retrieval.runs import ranking

BLOCK_BYTES = 4_000_000

Ranking = tuple[np.ndarray, np.ndarray]


def spans_of(texts: pa.Array, profiles: Profiles) -> list[range]:
    """Cut the users into ranges with about `BLOCK_BYTES` bytes of text each."""
    sizes = pc.binary_length(texts).to_numpy(zero_copy_only=False)
    before = np.append(0, np.cumsum(sizes, dtype=np.int64))[profiles.bounds]
    cuts = np.flatnonzero(np.diff(before[:-1] // BLOCK_BYTES, prepend=-1))
    return [range(*pair) for pair in pairwise([*cuts, len(profiles)])]


class TokenIndex:
    """The inverted indexes of all profiles, kept for ranking more than once.

    Args:
        texts: text of each document.
        profiles: the users' slices of them.
        tokens: `words` or `characters`.
        threads: blocks that are worked on at the same time.
    """

    def __init__(self, texts: pa.Array, profiles: Profiles, tokens: str, threads: int = 1):
        self.profiles, self.threads = profiles, threads
        self.spans = spans_of(texts, profiles)
        self.blocks = self._map(lambda span: _build(texts, profiles, span, tokens), self.spans)

    def look_up(self, queries: pa.Array) -> list[QueryTerms]:
        """Find the queries' tokens; the result serves for any parameters."""
        return self._map(
            lambda span, block: _look_up(block, queries, self.profiles, span),
            self.spans,
            self.blocks,
        )

    def rank(
        self, terms: list[QueryTerms], parameters: Parameters, depth: int | None = None
    ) -> list[Ranking]:
        """Rank each query's profile: rows (int64) and scores (float64), best first."""
        parts = self._map(
            lambda span, block, part: _rank(block, part, self.profiles, span, parameters, depth),
            self.spans,
            self.blocks,
            terms,
        )
        return _in_query_order(parts, self.profiles)

    def _map(self, function, *arguments) -> list:
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(function, *arguments))


def retrieve(
    texts: pa.Array,
    queries: pa.Array,
    profiles: Profiles,
    *,
    tokens: str,
    parameters: Parameters,
    depth: int | None,
    threads: int = 1,
) -> list[Ranking]:
    """Rank each query's profile once, holding only the blocks in work.

    Args:
        texts: text of each document.
        queries: text of each query.
        profiles: the users' slices of the documents.
        tokens: `words` or `characters`.
        parameters: BM25's.
        depth: how many documents of each ranking to keep; None keeps all.
        threads: blocks that are worked on at the same time.

    Returns:
        For each query, in order: rows (int64) and scores (float64), best first.
    """

    def work(span: range) -> dict[int, Ranking]:
        block = _build(texts, profiles, span, tokens)
        terms = _look_up(block, queries, profiles, span)
        return _rank(block, terms, profiles, span, parameters, depth)

    spans = spans_of(texts, profiles)
    with ThreadPoolExecutor(threads) as pool:
        parts = tqdm(pool.map(work, spans), "rank", len(spans), unit=" blocks", mininterval=5)
        return _in_query_order(parts, profiles)


def _build(texts: pa.Array, profiles: Profiles, span: range, tokens: str) -> Block:
    bounds = profiles.bounds[span.start : span.stop + 1]
    return build_block(texts.slice(bounds[0], bounds[-1] - bounds[0]), bounds - bounds[0], tokens)


def _queries_in(profiles: Profiles, span: range) -> np.ndarray:
    users = profiles.of_query
    return np.flatnonzero((users >= span.start) & (users < span.stop))


def _look_up(block: Block, queries: pa.Array, profiles: Profiles, span: range) -> QueryTerms:
    chosen = _queries_in(profiles, span)
    return look_up(block, queries.take(pa.array(chosen)), profiles.of_query[chosen] - span.start)


def _rank(
    block: Block,
    terms: QueryTerms,
    profiles: Profiles,
    span: range,
    parameters: Parameters,
    depth: int | None,
) -> dict[int, Ranking]:
    chosen = _queries_in(profiles, span)
    flat, bounds = scores(block, terms, profiles.of_query[chosen] - span.start, parameters)
    return {
        int(query): ranking(profiles.slice_of(query)[0], flat[start:stop], depth)
        for query, start, stop in zip(chosen, bounds[:-1], bounds[1:], strict=True)
    }


def _in_query_order(parts: Iterator[dict[int, Ranking]], profiles: Profiles) -> list[Ranking]:
    results: list[Ranking] = [ranking(0, np.zeros(0), None)] * len(profiles.of_query)
    for part in parts:
        for query, found in part.items():
            results[query] = found
    return results
