"""`dense` against the loop of LaMP's code: profile by profile, batches of 16 in the given order."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from benchmarks.parts.common import CORES, in_turn, show
from benchmarks.parts.retrieval_data import ENCODER, load, parts_of
from quantrag.model_files import package_folder
from quantrag.retrieval import vectors
from quantrag.retrieval.encoder import Encoder, EncodingOptions
from quantrag.retrieval.scopes import Scopes

DTYPES = ("float32", "bfloat16")


def lamp_loop(encoder: Encoder, documents: list[list[str]]) -> list[np.ndarray]:
    """Vectors as LaMP's `rank_profiles.py` makes them."""
    profiles = []
    for own in documents:
        batches = []
        for start in range(0, len(own), 16):
            batch = encoder.tokenizer(
                own[start : start + 16],
                padding=True,
                truncation=True,
                max_length=encoder.max_length,
                return_tensors="pt",
            )
            with torch.no_grad():
                hidden = encoder.model(**batch).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1)
            means = (hidden * mask).sum(1) / mask.sum(1)
            batches.append(torch.nn.functional.normalize(means, dim=1).numpy())
        profiles.append(np.concatenate(batches))
    return profiles


def encode_all(encoder: Encoder, texts: pa.Array) -> np.ndarray:
    """As `vectors.encode`, but repeated texts are encoded repeatedly."""
    tokens, bounds = vectors.tokenize_all(encoder, texts, "")
    found = np.empty((len(texts), encoder.dimension), dtype=np.float32)
    for batch in vectors.batches_by_length(np.diff(bounds), encoder.batch_tokens):
        found[batch] = encoder.encode([tokens[bounds[i] : bounds[i + 1]] for i in batch])
    return found


def measure(folder: Path, users: int, repeats: int) -> dict:
    """Encode the documents of `users`; the same texts on both sides, repeated ones repeatedly."""
    torch.set_num_threads(CORES)
    texts, queries, scopes = load(folder, users)
    distinct, _ = vectors.distinct(texts)
    documents = parts_of(texts.to_pylist(), scopes)
    encoders = {
        dtype: Encoder(package_folder(ENCODER), EncodingOptions("mean", True, None, dtype))
        for dtype in DTYPES
    }
    lamp_loop(encoders["float32"], [documents[0][:16]])  # Warm, as the others are after theirs.
    for encoder in encoders.values():
        vectors.encode(encoder, texts.slice(0, 16))
    own = {dtype: lambda e=e: encode_all(e, texts) for dtype, e in encoders.items()}
    seconds, processor, results = in_turn(
        repeats, {"lamp": lambda: lamp_loop(encoders["float32"], documents), **own}
    )
    reference = np.concatenate(results["lamp"])
    asked = {dtype: vectors.encode(e, queries) for dtype, e in encoders.items()}
    found = {
        "documents": len(texts),
        "distinct": len(distinct),
        "lamp_docs_per_s": len(texts) / seconds["lamp"],
    }
    for dtype in DTYPES:
        found[dtype] = {
            "docs_per_s": len(texts) / seconds[dtype],
            "speedup": seconds["lamp"] / seconds[dtype],
            "speedup_processor": processor["lamp"] / processor[dtype],
            "top5_agreement": top_five_agreement(
                (reference, asked["float32"]), (results[dtype], asked[dtype]), scopes
            ),
        }
    return found


def top_five_agreement(
    reference: tuple[np.ndarray, np.ndarray],
    other: tuple[np.ndarray, np.ndarray],
    scopes: Scopes,
) -> float:
    """Share of the first five that two pairs of document and query vectors have in common."""
    shares = []
    for query in range(len(scopes.of_query)):
        start, stop = scopes.slice_of(query)
        if stop > start:
            first, second = (
                set(np.argsort(-(rows[start:stop] @ asked[query]), kind="stable")[:5].tolist())
                for rows, asked in (reference, other)
            )
            shares.append(len(first & second) / min(5, stop - start))
    return float(np.mean(shares))


def report(name: str, result: dict) -> None:
    rows = [
        ("documents, distinct", f"{result['documents']:,}, {result['distinct']:,}"),
        ("LaMP's loop, float32", f"{result['lamp_docs_per_s']:.1f} documents/s"),
    ]
    for dtype in DTYPES:
        own = result[dtype]
        rows += [
            (f"ours, {dtype}", f"{own['docs_per_s']:.1f} documents/s"),
            (f"ours, {dtype}: speed-up", f"{own['speedup']:.2f} x"),
            (f"ours, {dtype}: the same in processor time", f"{own['speedup_processor']:.2f} x"),
            (f"ours, {dtype}: first five as in LaMP's loop", f"{own['top5_agreement']:.3f}"),
        ]
    show(f"Dense, {ENCODER}: {name}", rows)
