"""Vectors of many texts: each distinct text once, sorted by length, resumable, memory-mapped."""

import hashlib
import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from quantrag.errors import UserError
from quantrag.tables import write_text

log = logging.getLogger(__name__)

TOKENIZE_AT_ONCE = 4_096
SAVE_EVERY = 50  # batches


class TextEncoder(Protocol):
    """What `quantrag.retrieval.encoder.Encoder` offers."""

    dimension: int
    batch_tokens: int

    def tokenize(self, texts: list[str]) -> list[list[int]]: ...
    def encode(self, batch: list[np.ndarray]) -> np.ndarray: ...
    def identity(self) -> dict: ...


def distinct(texts: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, np.ndarray]:
    """The distinct texts in the order of their first appearance, and which of them each text is."""
    array = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    encoded = array.dictionary_encode()
    return encoded.dictionary, encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def tokenize_all(encoder: TextEncoder, texts: pa.Array, prefix: str) -> tuple[np.ndarray, ...]:
    """Tokens (int32) of all texts on end, and their bounds (int64 of shape (texts + 1,))."""
    parts, lengths = [np.empty(0, np.int32)], []
    for start in range(0, len(texts), TOKENIZE_AT_ONCE):
        chunk = texts.slice(start, TOKENIZE_AT_ONCE).to_pylist()
        for ids in encoder.tokenize([prefix + text for text in chunk]):
            parts.append(np.array(ids, dtype=np.int32))
            lengths.append(len(ids))
        parts = [np.concatenate(parts)] if len(parts) > 50 * TOKENIZE_AT_ONCE else parts
    return np.concatenate(parts), np.cumsum([0, *lengths], dtype=np.int64)


def batches_by_length(lengths: np.ndarray, batch_tokens: int) -> list[np.ndarray]:
    """Group texts of like length, longest first, so that little padding is computed.

    Args:
        lengths: tokens of each text.
        batch_tokens: tokens per batch, padding included; a longer text is a batch of its own.

    Returns:
        Numbers of the texts in each batch.
    """
    order = np.argsort(-lengths, kind="stable")
    batches, start = [], 0
    while start < len(order):
        size = max(1, batch_tokens // max(1, int(lengths[order[start]])))
        batches.append(order[start : start + size])
        start += size
    return batches


def encode(encoder: TextEncoder, texts: pa.Array, prefix: str = "") -> np.ndarray:
    """Vectors of some texts, in memory: float32 of shape (texts, dimension)."""
    chosen, of_text = distinct(texts)
    vectors = np.empty((len(chosen), encoder.dimension), dtype=np.float32)
    tokens, bounds = tokenize_all(encoder, chosen, prefix)
    for batch in batches_by_length(np.diff(bounds), encoder.batch_tokens):
        vectors[batch] = _encode_batch(encoder, chosen, tokens, bounds, batch)
    return vectors[of_text]


def _encode_batch(
    encoder: TextEncoder, texts: pa.Array, tokens: np.ndarray, bounds: np.ndarray, batch: np.ndarray
) -> np.ndarray:
    """Vectors of the texts of one batch. Raises UserError, with the text, for one that is NaN."""
    found = encoder.encode([tokens[bounds[i] : bounds[i + 1]] for i in batch])
    broken = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if len(broken):
        text = texts[int(batch[broken[0]])].as_py()
        raise UserError(
            f"the encoder gives {len(broken)} of {len(batch)} texts a vector that is not finite "
            f"(NaN or infinity), the first one to the text {text[:100]!r}. Set the retriever's "
            "dtype to float32, or take another encoder."
        )
    return found


def encode_to_folder(
    encoder: TextEncoder, texts: pa.Array | pa.ChunkedArray, folder: str | Path, prefix: str = ""
) -> None:
    """Write the vectors of all documents, going on where a killed run stopped.

    Leaves in `folder`: `vectors.npy` (float32 of shape (distinct texts, dimension)) and
    `of_document.npy` (int64: row in `vectors.npy` of each document). Until all are done, the
    work lies in `<folder>.partial`, which Snakemake doesn't know and so doesn't delete.
    """
    folder = Path(folder)
    partial = folder.with_name(folder.name + ".partial")
    chosen, of_text = distinct(texts)
    log.info("%d documents, %d distinct texts", len(of_text), len(chosen))
    fingerprint = _fingerprint(encoder, chosen, prefix)
    done = _progress(partial, fingerprint)
    shape = (len(chosen), encoder.dimension)
    if done == 0:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
    else:
        log.info("going on after %d batches", done)
    path = partial / "vectors.npy"
    if done == 0:
        np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    vectors = np.lib.format.open_memmap(path, mode="r+")
    tokens, bounds = tokenize_all(encoder, chosen, prefix)
    batches = batches_by_length(np.diff(bounds), encoder.batch_tokens)
    with tqdm(total=len(chosen), desc="encode", unit=" texts", mininterval=5) as progress:
        progress.update(sum(map(len, batches[:done])))
        for number, batch in enumerate(batches[done:], done + 1):
            vectors[batch] = _encode_batch(encoder, chosen, tokens, bounds, batch)
            progress.update(len(batch))
            if number % SAVE_EVERY == 0 or number == len(batches):
                vectors.flush()
                # Mapped anew, or all pages written so far would count as this process's memory.
                vectors = np.lib.format.open_memmap(path, mode="r+")
                _save_progress(partial, fingerprint, number)
    del vectors
    np.save(partial / "of_document.npy", of_text)
    (partial / "progress.json").unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _fingerprint(encoder: TextEncoder, texts: pa.Array, prefix: str) -> str:
    digest = hashlib.sha256(json.dumps([encoder.identity(), prefix], sort_keys=True).encode())
    for chunk in _chunks(texts):
        digest.update(json.dumps(chunk).encode())
    return digest.hexdigest()


def _chunks(texts: pa.Array) -> Iterator[list[str]]:
    for start in range(0, len(texts), TOKENIZE_AT_ONCE):
        yield texts.slice(start, TOKENIZE_AT_ONCE).to_pylist()


def _progress(partial: Path, fingerprint: str) -> int:
    """Batches done by an earlier run of the same work; 0 if there was none."""
    try:
        saved = json.loads((partial / "progress.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
    return saved["batches"] if saved.get("fingerprint") == fingerprint else 0


def _save_progress(partial: Path, fingerprint: str, batches: int) -> None:
    progress = {"fingerprint": fingerprint, "batches": batches}
    write_text(json.dumps(progress), partial / "progress.json")


def read_vectors(folder: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """What `encode_to_folder` left: the vectors, memory-mapped, and each document's row in them."""
    folder = Path(folder)
    of_document = np.load(folder / "of_document.npy", allow_pickle=False)
    mode = "r" if len(of_document) else None
    return np.load(folder / "vectors.npy", mmap_mode=mode, allow_pickle=False), of_document
