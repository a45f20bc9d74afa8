"""BM25 as the package rank_bm25 computes it (class `BM25Okapi`), for all profiles at once.

The statistics (idf, average length) are those of one profile. Score of document d for query q:

    sum over the tokens t of q, repeated ones repeatedly, of
        idf(t) * tf(t, d) * (k1 + 1) / (tf(t, d) + k1 * (1 - b + b * length(d) / average length))
    idf(t) = ln(N - n(t) + 0.5) - ln(n(t) + 0.5)

with N documents in the profile, n(t) of them with t. A negative idf (a token in more than half of
the documents) is replaced by epsilon times the average idf of the profile's tokens.
Source: rank_bm25 0.2.2, after Trotman, Puurula and Burgess, "Improvements to BM25 and Language
Models Examined" (2014). Equal scores keep the profile's order, see `quantrag.retrieval.runs`.

This module does the arithmetic for a block of profiles; `quantrag.retrieval.okapi` cuts the work
into blocks. Tokens are numbered in compiled code, and the inverted index is made by counting, not
by sorting.
"""

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array

from quantrag.retrieval.tokens import VOCABULARIES, Vocabulary


@dataclass(frozen=True)
class Parameters:
    """BM25's parameters; see the formula above."""

    k1: float = 1.5
    b: float = 0.75
    epsilon: float = 0.25


@dataclass(frozen=True)
class Block:
    """The inverted index of some profiles.

    A posting is a document with a token in it; the postings of one token in one profile are a
    `pair`. Documents and profiles are numbered inside the block.

    Attributes:
        vocabulary: the block's tokens.
        bounds: int64, first document of each profile, and the number of documents.
        documents: int32 of shape (postings,).
        frequencies: int32 of shape (postings,); how often the token occurs in the document.
        pairs: int64 of shape (pairs,), rising; token * profiles + profile.
        starts: int64 of shape (pairs + 1,); first posting of each pair.
        idf: float64 of shape (pairs,), before the floor on negative values.
        average_idf: float64 of shape (profiles,).
        length_ratio: float64 of shape (documents,); length by the profile's average length.
    """

    vocabulary: Vocabulary
    bounds: np.ndarray
    documents: np.ndarray
    frequencies: np.ndarray
    pairs: np.ndarray
    starts: np.ndarray
    idf: np.ndarray
    average_idf: np.ndarray
    length_ratio: np.ndarray


@dataclass(frozen=True)
class QueryTerms:
    """The distinct tokens of some queries, as far as their profiles have them.

    Attributes:
        query: int64, number of the query.
        pair: int64, number of the block's pair.
        count: int64, how often the query has the token.
    """

    query: np.ndarray
    pair: np.ndarray
    count: np.ndarray


def build_block(texts: pa.Array, bounds: np.ndarray, tokens: str) -> Block:
    """Index some profiles.

    Args:
        texts: the profiles' documents.
        bounds: int64 of shape (profiles + 1,); profile p has the texts bounds[p]:bounds[p + 1].
        tokens: `words` or `characters`.
    """
    vocabulary, numbers, lengths = VOCABULARIES[tokens].of(texts)
    sizes = np.diff(bounds)
    n_profiles, n_documents = len(sizes), len(texts)
    profile_of = np.repeat(np.arange(n_profiles), sizes)
    # Tokens come document by document: that is a sparse matrix by rows. Turned to columns (by
    # counting) each token's documents stand in order, repeated ones adjacent.
    by_document = csr_array(
        (np.ones(len(numbers), np.int32), numbers, np.append(0, np.cumsum(lengths))),
        shape=(n_documents, max(len(vocabulary), 1)),
    )
    by_token = by_document.tocsc()
    by_token.has_sorted_indices = True
    by_token.sum_duplicates()

    documents = by_token.indices.astype(np.int32, copy=False)
    token_of = np.repeat(np.arange(by_token.shape[1]), np.diff(by_token.indptr))
    key = token_of * n_profiles + profile_of[documents]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    pairs, starts = key[first], np.append(first, len(key))

    profile = pairs % max(n_profiles, 1)
    found_in = np.diff(starts)
    logarithms = np.array([math.log(n + 0.5) for n in range(int(sizes.max(initial=0)) + 1)])
    idf = logarithms[sizes[profile] - found_in] - logarithms[found_in]
    idf_sum = np.bincount(profile, weights=idf, minlength=n_profiles)
    n_pairs = np.bincount(profile, minlength=n_profiles)
    # A profile of empty texts has no token and no length; nothing is looked up there.
    average_length = np.bincount(profile_of, weights=lengths, minlength=n_profiles)
    average_length /= np.maximum(sizes, 1)
    return Block(
        vocabulary=vocabulary,
        bounds=bounds,
        documents=documents,
        frequencies=by_token.data,
        pairs=pairs,
        starts=starts,
        idf=idf,
        average_idf=idf_sum / np.maximum(n_pairs, 1),
        length_ratio=lengths / np.maximum(average_length[profile_of], 1e-300),
    )


def look_up(block: Block, queries: pa.Array, profile_of: np.ndarray) -> QueryTerms:
    """Find the queries' tokens in a block; what it returns serves for any parameters.

    Args:
        block: the profiles' index.
        queries: texts.
        profile_of: int64, number in the block of each query's profile.
    """
    numbers, lengths = block.vocabulary.look_up(queries)
    query = np.repeat(np.arange(len(queries)), lengths)[numbers >= 0]
    size = max(len(block.vocabulary), 1)
    key, count = np.unique(query * size + numbers[numbers >= 0], return_counts=True)
    query, token = key // size, key % size
    wanted = token * (len(block.bounds) - 1) + profile_of[query]
    pair = np.searchsorted(block.pairs, wanted)
    known = pair < len(block.pairs)
    known[known] = block.pairs[pair[known]] == wanted[known]
    return QueryTerms(query=query[known], pair=pair[known], count=count[known])


def scores(
    block: Block, terms: QueryTerms, profile_of: np.ndarray, parameters: Parameters
) -> tuple[np.ndarray, np.ndarray]:
    """Score each query's profile.

    Returns:
        Scores (float64) of all queries' documents on end, in the profiles' order, and the bounds
        (int64 of shape (queries + 1,)) of each query's part.
    """
    n_profiles = len(block.bounds) - 1
    bounds = np.append(0, np.cumsum(np.diff(block.bounds)[profile_of]))
    idf = block.idf[terms.pair]
    floor = parameters.epsilon * block.average_idf[block.pairs[terms.pair] % max(n_profiles, 1)]
    weight = np.where(idf < 0, floor, idf) * terms.count * (parameters.k1 + 1)

    # One row for each posting of each term: which posting, which term.
    starts = block.starts[terms.pair]
    sizes = block.starts[terms.pair + 1] - starts
    term = np.repeat(np.arange(len(sizes)), sizes)
    ends = np.cumsum(sizes)
    posting = np.arange(len(term)) + (starts - ends + sizes)[term]
    document = block.documents[posting]
    frequency = block.frequencies[posting]
    k1, b = parameters.k1, parameters.b
    saturation = frequency / (frequency + (k1 * (1 - b + b * block.length_ratio))[document])
    # From a document of the block to the place of the same document in the query's part.
    shift = bounds[:-1] - block.bounds[profile_of]
    slot = document + shift[terms.query][term]
    return np.bincount(slot, weights=weight[term] * saturation, minlength=bounds[-1]), bounds
