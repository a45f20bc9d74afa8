"""How far two retrievers agree on the order of the same documents."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

COLUMNS = ["task", "retriever_a", "retriever_b", "n", "top1", "top5", "rbo"]
# Weight of rank d falls as 0.9 ** d: the first ten ranks carry 86 % of the weight (Webber, Moffat
# and Zobel 2010, "A Similarity Measure for Indefinite Rankings", section 4.3).
PERSISTENCE = 0.9


def rank_matrix(runs: Mapping[str, pa.Table]) -> pd.DataFrame:
    """The rank that each retriever gives to each document of each query.

    Args:
        runs: a run for each retriever, over the same queries.

    Returns:
        One row per query and document that any retriever ranked, sorted by query: `query` (int64)
        and one int64 column per retriever (0: not ranked).
    """
    queries = pc.unique(pa.chunked_array([c for r in runs.values() for c in r["query_id"].chunks]))
    documents = pc.unique(
        pa.chunked_array([c for r in runs.values() for c in r["document_id"].chunks])
    )
    ranks = {}
    for name, run in runs.items():
        query = pc.index_in(run["query_id"], queries).to_numpy().astype(np.int64)
        document = pc.index_in(run["document_id"], documents).to_numpy().astype(np.int64)
        ranks[name] = pd.Series(run["rank"].to_numpy(), index=query * len(documents) + document)
    merged = pd.DataFrame(ranks).fillna(0).astype(np.int64).sort_index()
    merged.insert(0, "query", merged.index.to_numpy() // max(len(documents), 1))
    return merged.reset_index(drop=True)


def agreement(query: np.ndarray, a: np.ndarray, b: np.ndarray) -> pd.DataFrame:
    """Agreement of two retrievers for each query.

    Args:
        query: number of the query of each row; equal ones adjacent.
        a, b: rank of the row's document by each retriever, from 1; 0 where not ranked.

    Returns:
        A row per query: `top1` (1 if the first document is the same), `top5` (share of the first
        five, or of all if there are fewer, that both have), and `rbo`, the extrapolated rank-biased
        overlap (equation 32 of Webber et al.), 0 where one has ranked nothing.
    """
    starts = np.flatnonzero(np.diff(query, prepend=query[:1] - 1))
    number = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(query))))
    lengths = np.maximum.reduceat(np.stack([a, b]), starts, axis=1)
    depth, shorter = lengths.max(axis=0), lengths.min(axis=0)
    both = (a > 0) & (b > 0)
    # A document is in both first d from the larger of its two ranks on.
    meets = np.where(both, np.maximum(a, b), 0)

    top5 = np.bincount(number, weights=both & (meets <= 5)) / np.minimum(depth, 5)
    top1 = np.bincount(number, weights=both & (meets == 1))

    # Overlap X_d at every depth d of every query, laid end to end.
    first = np.append(0, np.cumsum(depth))
    slots = first[number[both]] + meets[both] - 1
    arrivals = np.bincount(slots, minlength=first[-1])
    total = np.append(0, np.cumsum(arrivals))
    owner = np.repeat(np.arange(len(depth)), depth)
    overlap = total[1:] - total[first[:-1]][owner]
    d = np.arange(first[-1]) - first[:-1][owner] + 1
    p = PERSISTENCE
    series = np.bincount(owner, weights=overlap / d * p**d)
    # Behind the end of the shorter ranking its share in common is taken to stay what it was there.
    at_shorter = np.where(shorter > 0, overlap[first[:-1] + np.maximum(shorter, 1) - 1], 0)
    share = at_shorter / np.maximum(shorter, 1)
    beyond = np.where(d > shorter[owner], (d - shorter[owner]) / d * p**d, 0)
    series += share * np.bincount(owner, weights=beyond)
    last = (overlap[first[1:] - 1] - at_shorter) / depth + share
    rbo = last * p**depth + (1 - p) / p * series
    return pd.DataFrame({"top1": top1, "top5": top5, "rbo": rbo})


def mean_agreement(runs: Mapping[str, pa.Table], task: str) -> pd.DataFrame:
    """Mean agreement of every pair of a task's retrievers over the n queries with documents.

    Returns:
        The columns `COLUMNS`; pairs in the order of `runs`.
    """
    ranks = rank_matrix(runs)
    rows = []
    for a, b in combinations(runs, 2):
        pair = ranks[(ranks[a] > 0) | (ranks[b] > 0)]
        each = agreement(pair["query"].to_numpy(), pair[a].to_numpy(), pair[b].to_numpy())
        means = each.mean()
        rows.append((task, a, b, len(each), means["top1"], means["top5"], means["rbo"]))
    return pd.DataFrame(rows, columns=COLUMNS)
