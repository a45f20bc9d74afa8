"""BM25 by Lucene, through Pyserini: of one scope's documents, or of a corpus.

The statistics of profiles are of two kinds (they agree on the best document for about four of five
queries):

`collection`: one index; idf and average length are those of all scopes' documents, and a filter
keeps the scope's own.

`profile`: idf and average length are those of the scope's documents alone. Lucene keeps them per
field, so each scope has a field. Lucene's memory grows with the number of fields, so the scopes are
spread over several indexes (shards).

A corpus that all queries share is one index without filter (`corpus`), of which only the best
documents are asked for.

The index holds no k1 and no b: both are applied when searching. The caller starts Java first
(`quantrag.retrieval.jvm.start`).
"""

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from quantrag.retrieval import jvm
from quantrag.retrieval.runs import ranking
from quantrag.retrieval.scopes import Scopes

log = logging.getLogger(__name__)

#: Whose statistics: of a profile as the retriever says, of a corpus always its own.
COLLECTION, PROFILE, CORPUS = "collection", "profile", "corpus"
SCOPES_PER_SHARD = 500
BATCH = 5_000
# Lucene's writer keeps this much before it writes a segment. Anserini's default is 4,096 MB.
WRITER_BUFFER_MB = 128
SCOPE_FIELD = "scope"
TEXT_FIELD = "contents"
STEMMERS = {"english-porter": "porter", "english-krovetz": "krovetz", "english-unstemmed": "none"}


def shards_of(n_scopes: int, statistics: str) -> list[range]:
    """The numbers of the scopes in each index."""
    if statistics != PROFILE:
        return [range(n_scopes)]
    return [
        range(first, min(first + SCOPES_PER_SHARD, n_scopes))
        for first in range(0, n_scopes, SCOPES_PER_SHARD)
    ]


def field_of(scope: int) -> str:
    """Field of one scope's texts where statistics are the scope's own."""
    return f"profile{scope}"


def build_index(
    folder: str | Path,
    texts: pa.Array | pa.ChunkedArray,
    scopes: Scopes,
    *,
    statistics: str,
    analyzer: str,
    keep_stopwords: bool,
) -> None:
    """Write the Lucene indexes of all documents.

    Leaves in `folder`, for each shard, a Lucene index and `<shard>.rows.npy`: the row (int64) of
    each of Lucene's document numbers, which merging can shuffle. A text without content can't be
    found and isn't indexed.

    Args:
        folder: where to write; created.
        texts: text of each document.
        scopes: the slices of them that queries search.
        statistics: `collection`, `profile` or `corpus`.
        analyzer: a key of `STEMMERS`, or `whitespace`.
        keep_stopwords: whether Lucene's English stop words are indexed.
    """
    from pyserini.index.lucene import LuceneIndexer

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    folder = Path(jvm.visible(folder))
    arguments = _analyzer_arguments(analyzer, keep_stopwords)
    with tqdm(total=len(texts), desc="index", unit=" documents", mininterval=5) as progress:
        for number, inside in enumerate(shards_of(len(scopes), statistics)):
            shard = folder / str(number)
            fields = _own_fields(statistics, inside)
            buffer = ["-memoryBuffer", str(WRITER_BUFFER_MB)]
            # One thread: the order of the documents, and with it every tie, is then reproducible.
            indexer = LuceneIndexer(
                args=["-index", str(shard), *arguments, *buffer, *fields], threads=1
            )
            first, last = int(scopes.bounds[inside.start]), int(scopes.bounds[inside.stop])
            owners = np.repeat(np.array(inside), scopes.sizes()[inside.start : inside.stop])
            indexed: list[int] = []
            for begin in range(first, last, BATCH):
                batch = texts.slice(begin, min(BATCH, last - begin)).to_pylist()
                rows = [row for row, text in enumerate(batch, begin) if text.strip()]
                documents = [
                    _document(row, batch[row - begin], int(owners[row - first]), statistics)
                    for row in rows
                ]
                added = indexer.object.addRawDocuments(documents)
                if added != len(documents):
                    raise RuntimeError(f"Lucene took {added} of {len(documents)} documents")
                indexed += rows
                progress.update(len(batch))
            indexer.close()
            np.save(folder / f"{number}.rows.npy", _rows(shard, np.array(indexed, np.int64)))


def _own_fields(statistics: str, scopes: range) -> list[str]:
    """Anserini's argument that names the fields beside `TEXT_FIELD`."""
    if statistics == CORPUS:
        return []
    names = map(field_of, scopes) if statistics == PROFILE else [SCOPE_FIELD]
    return ["-fields", *names]


def _id(row: int) -> str:
    """Sorts as the row does: Lucene compares ids as texts."""
    return f"{row:010d}"


def _document(row: int, text: str, scope: int, statistics: str) -> str:
    # JSON in ASCII, because pyjnius corrupts characters beyond the basic plane.
    fields = {"id": _id(row), TEXT_FIELD: text}
    # Users are known to Lucene by number, which passes through every analyzer unchanged.
    if statistics == PROFILE:
        # Anserini refuses documents without contents.
        fields |= {TEXT_FIELD: "0", field_of(scope): text}
    elif statistics == COLLECTION:
        fields |= {SCOPE_FIELD: str(scope)}
    return json.dumps(fields)


def _analyzer_arguments(analyzer: str, keep_stopwords: bool) -> list[str]:
    if analyzer == "whitespace":
        return ["-pretokenized"]
    return ["-stemmer", STEMMERS[analyzer], *(["-keepStopwords"] if keep_stopwords else [])]


def _analyzer(analyzer: str, keep_stopwords: bool):
    from pyserini.analysis import JWhiteSpaceAnalyzer, get_lucene_analyzer

    if analyzer == "whitespace":
        return JWhiteSpaceAnalyzer()
    stemmer = STEMMERS[analyzer]
    return get_lucene_analyzer(
        stemming=stemmer != "none", stemmer=stemmer, stopwords=not keep_stopwords
    )


def _open(shard: Path):
    from jnius import autoclass

    directory = autoclass("org.apache.lucene.store.FSDirectory").open(
        autoclass("java.nio.file.Paths").get(str(shard))
    )
    return autoclass("org.apache.lucene.index.DirectoryReader").open(directory)


def _rows(shard: Path, indexed: np.ndarray) -> np.ndarray:
    """Row of each of Lucene's documents: in the order of their ids they are the rows `indexed`."""
    from jnius import autoclass

    reader = _open(shard)
    searcher = autoclass("org.apache.lucene.search.IndexSearcher")(reader.getContext())
    mapper = autoclass("com.fasterxml.jackson.databind.ObjectMapper")()
    inside = autoclass("org.apache.lucene.search.TermRangeQuery").newStringRange
    by_id = autoclass("org.apache.lucene.search.Sort")(_field_of_ids())
    rows = np.empty(reader.maxDoc(), dtype=np.int64)
    for start in range(0, len(indexed), BATCH):
        part = indexed[start : start + BATCH]
        query = inside("id", _id(part[0]), _id(part[-1]), True, True)
        documents = [hit["doc"] for hit in _hits(mapper, searcher.search(query, len(part), by_id))]
        if len(documents) != len(part):
            raise RuntimeError(f"Lucene has {len(documents)} of {len(part)} documents")
        rows[documents] = part
    reader.close()
    return rows


def _field_of_ids():
    """Lucene's sort by the ids that Anserini stores."""
    from jnius import autoclass

    kind = autoclass("org.apache.lucene.search.SortField$Type").STRING_VAL
    return autoclass("org.apache.lucene.search.SortField")("id", kind)


def _hits(mapper, found) -> list[dict]:
    """What a search found. One call brings all over as JSON; each by itself would be many calls."""
    return json.loads(mapper.writeValueAsString(found))["scoreDocs"]


class Searcher:
    """Searches the indexes that `build_index` wrote. One thread only; see `quantrag.retrieval.jvm`.

    Args:
        folder: the indexes.
        statistics, analyzer, keep_stopwords: as the indexes were built.
        k1, b: BM25's parameters.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        statistics: str,
        analyzer: str,
        keep_stopwords: bool,
        k1: float,
        b: float,
    ):
        from jnius import autoclass

        self.folder = Path(jvm.visible(folder))
        self.own_fields = statistics == PROFILE
        self.analyzer = _analyzer(analyzer, keep_stopwords)
        self.similarity = autoclass("org.apache.lucene.search.similarities.BM25Similarity")(k1, b)
        self.IndexSearcher = autoclass("org.apache.lucene.search.IndexSearcher")
        # A long query has more distinct words than Lucene's default limit, 1,024, allows.
        self.IndexSearcher.setMaxClauseCount(2**31 - 1)
        self.generator = autoclass("io.anserini.search.query.BagOfWordsQueryGenerator")()
        self.Builder = autoclass("org.apache.lucene.search.BooleanQuery$Builder")
        self.TermQuery = autoclass("org.apache.lucene.search.TermQuery")
        # Of equal scores the earlier row is the better, also where the ranking is cut.
        by_score = autoclass("org.apache.lucene.search.SortField").FIELD_SCORE
        sort = autoclass("org.apache.lucene.search.Sort")
        self.best_first = sort(by_score, _field_of_ids())
        self.Term = autoclass("org.apache.lucene.index.Term")
        occur = autoclass("org.apache.lucene.search.BooleanClause$Occur")
        self.should, self.filter = occur.SHOULD, occur.FILTER
        self.String = autoclass("java.lang.String")
        self.mapper = autoclass("com.fasterxml.jackson.databind.ObjectMapper")()
        self.reader = None
        self.shard = -1

    def open(self, shard: int) -> None:
        """Make one shard the one that is searched."""
        if shard == self.shard:
            return
        self.close()
        self.reader = _open(self.folder / str(shard))
        self.searcher = self.IndexSearcher(self.reader.getContext())
        self.searcher.setSimilarity(self.similarity)
        self.rows = np.load(self.folder / f"{shard}.rows.npy", allow_pickle=False)
        self.shard = shard

    def close(self) -> None:
        """Close the open shard."""
        if self.reader is not None:
            self.reader.close()
        self.reader, self.shard = None, -1

    def scores(self, text: str, scope: int, start: int, stop: int) -> np.ndarray:
        """Score of each document of one scope for one query.

        Args:
            text: the query; no character of it is syntax.
            scope: number of the scope, which must be in the open shard.
            start, stop: the scope's rows.

        Returns:
            float64 of shape (stop - start,), the exact values of Lucene's 32-bit scores; 0
            where no word of the query occurs.
        """
        words = self._query(text, field_of(scope) if self.own_fields else TEXT_FIELD)
        query = words
        if not self.own_fields:
            term = self.Term(SCOPE_FIELD, str(scope))
            owner = self.TermQuery(term)
            builder = self.Builder()
            builder.add(words, self.should)
            builder.add(owner, self.filter)
            query = builder.build()
        found = self.searcher.search(query, stop - start)
        hits = _hits(self.mapper, found)
        scores = np.zeros(stop - start)
        rows = self.rows[np.fromiter((hit["doc"] for hit in hits), np.int64, len(hits))]
        if np.any((rows < start) | (rows >= stop)):
            raise RuntimeError(f"Lucene returned another scope's document for scope {scope}")
        # A 32-bit score's shortest decimal form is read back as 32 bits: no digit is invented.
        scores[rows - start] = np.fromiter((hit["score"] for hit in hits), np.float32, len(hits))
        return scores

    def best(self, text: str, depth: int) -> tuple[np.ndarray, np.ndarray]:
        """The documents of a corpus that share a word with a query: rows and scores, best first.

        Args:
            text: the query; no character of it is syntax.
            depth: how many documents to ask for.

        Returns:
            int64 rows and float64 scores as in `scores`, of shape (found,), at most `depth`.
        """
        self.open(0)
        found = self.searcher.search(self._query(text, TEXT_FIELD), depth, self.best_first)
        hits = _hits(self.mapper, found)
        rows = self.rows[np.fromiter((hit["doc"] for hit in hits), np.int64, len(hits))]
        scores = np.fromiter((hit["fields"][0] for hit in hits), np.float32, len(hits))
        return rows, scores.astype(np.float64)

    def _query(self, text: str, field: str):
        # Each object in its own statement: pyjnius frees what a nested call made too early.
        string = self.String(text.encode("utf-8"), "UTF-8")
        return self.generator.buildQuery(field, self.analyzer, string)


def retrieve(
    searcher: Searcher,
    queries: Sequence[str],
    scopes: Scopes,
    depth: int | None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rank each query's scope: rows (int64) and scores (float64), best first, in query order.

    Documents that share no word with the query follow the others, with score 0.
    """
    shard_size = SCOPES_PER_SHARD if searcher.own_fields else max(len(scopes), 1)
    shards = np.where(scopes.of_query < 0, -1, scopes.of_query // shard_size)
    results: list[tuple[np.ndarray, np.ndarray] | None] = [None] * len(queries)
    # Shard by shard, so that each is opened once, whatever the order of the queries.
    for query in tqdm(
        np.argsort(shards, kind="stable"), desc="search", unit=" queries", mininterval=5
    ):
        start, stop = scopes.slice_of(query)
        scores = np.zeros(0)
        if stop > start:
            searcher.open(int(shards[query]))
            scores = searcher.scores(queries[query], int(scopes.of_query[query]), start, stop)
        results[query] = ranking(start, scores, depth)
    yield from results


def retrieve_from_corpus(
    searcher: Searcher, queries: Sequence[str], depth: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rank the corpus for each query: rows (int64) and scores (float64), best first.

    Documents that share no word with the query are not in its ranking.
    """
    for query in tqdm(queries, desc="search", unit=" queries", mininterval=5):
        yield searcher.best(query, depth)
