"""BM25 as the package rank_bm25 computes it (class `BM25Okapi`): LaMP's official ranking.

The statistics (idf, average length) are those of one profile. A negative idf (of a token in more
than half of the documents) is replaced by epsilon times the profile's average idf. Source: Trotman,
Puurula and Burgess, "Improvements to BM25 and Language Models Examined" (2014).
"""

import sys
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa
from rank_bm25 import BM25Okapi
from tqdm import tqdm

from quantrag.retrieval.runs import ranking
from quantrag.retrieval.scopes import Scopes

Ranking = tuple[np.ndarray, np.ndarray]

#: Words: white space separates; case and punctuation count, as in LaMP. Characters: the string
#: itself, whose items are Unicode code points; so does the paper's released code.
TOKENIZERS: dict[str, Callable[[str], Sequence[str]]] = {"words": str.split, "characters": str}


class ProfileIndex:
    """One profile's documents, to be scored for any number of queries.

    Args:
        texts: text of each document.
        tokens: `words` or `characters`.
        parameters: BM25Okapi's `k1`, `b` and `epsilon`; those left out have its defaults.
    """

    def __init__(self, texts: Sequence[str], tokens: str, parameters: Mapping[str, float]):
        self._tokenize = TOKENIZERS[tokens]
        self._n_documents = len(texts)
        documents = [self._tokenize(text) for text in texts]
        parameters = dict(parameters)
        if parameters.get("k1") == 0:
            # rank_bm25 would compute 0 / 0, NaN, for a document without the token. Beside a count
            # the smallest number changes nothing.
            parameters["k1"] = sys.float_info.min
        # Where no document has a token, rank_bm25 would divide by their number.
        self._model = BM25Okapi(documents, **parameters) if any(documents) else None

    def scores(self, query: str) -> np.ndarray:
        """Score of each document, float64; 0 for one without any of the query's tokens."""
        if self._model is None:
            return np.zeros(self._n_documents)
        with np.errstate(invalid="ignore"):
            scores = self._model.get_scores(self._tokenize(query))
        # With b = 1 rank_bm25 computes 0 / 0 for an empty document.
        return np.nan_to_num(scores, nan=0.0)


def retrieve(
    texts: pa.Array,
    queries: pa.Array,
    scopes: Scopes,
    *,
    tokens: str,
    parameters: Mapping[str, float],
    depth: int | None,
) -> list[Ranking]:
    """Rank each query's scope.

    Args:
        texts: text of each document.
        queries: text of each query.
        scopes: the slices of the documents that queries search.
        tokens: `words` or `characters`.
        parameters: BM25Okapi's `k1`, `b` and `epsilon`.
        depth: how many documents of each ranking to keep; None keeps all.

    Returns:
        For each query, in order: rows (int64) and scores (float64), best first. Equal scores keep
        the scope's order (`quantrag.retrieval.runs`).
    """
    rankings = [ranking(0, np.zeros(0), None)] * len(queries)
    indexed, index = -1, None
    # Scope by scope, so that several queries of one share its index, and one is held at a time.
    for query in tqdm(np.argsort(scopes.of_query), "rank", unit=" queries", mininterval=5):
        start, stop = scopes.slice_of(query)
        if start == stop:
            continue
        if scopes.of_query[query] != indexed:
            own = texts.slice(start, stop - start).to_pylist()
            indexed, index = scopes.of_query[query], ProfileIndex(own, tokens, parameters)
        rankings[query] = ranking(start, index.scores(queries[query].as_py()), depth)
    return rankings
