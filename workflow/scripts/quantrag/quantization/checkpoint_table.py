"""`tables/checkpoints.csv`: what quantization did to the weights, layer by layer and as a whole."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

#: The public columns; `docs/quantization.md` explains them.
COLUMNS = [
    "model",
    "precision",
    "method",
    "layer",
    "module",
    "weight_error",
    "output_error",
    "bits_per_weight",
    "weight_bytes",
    "perplexity",
    "perplexity_tokens",
]
_LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.(\d+)\.(?:.*\.)?([^.]+)$")


def summarize_checkpoints(
    measured: Sequence[tuple[str, str, str, str | Path, str | Path]],
) -> pd.DataFrame:
    """One row for each checkpoint, `layer` and `module` empty, and one for each of its layers.

    Args:
        measured: model, precision, method, the checkpoint's folder, and the file of its perplexity.

    Returns:
        `COLUMNS`. A checkpoint's errors are the means over its layers; what wasn't quantized here
        has none. `perplexity` and sizes stand in the rows of checkpoints alone.
    """
    rows: list[dict] = []
    for model, precision, method, folder, perplexity in measured:
        result = json.loads(Path(perplexity).read_text(encoding="utf-8"))
        record = Path(folder) / "quantization.json"
        content = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
        name = {"model": model, "precision": precision, "method": method}
        layers = [{**name, **_layer_row(entry)} for entry in content.get("modules", [])]
        rows.append(
            {
                **name,
                "weight_error": _mean(layers, "weight_error"),
                "output_error": _mean(layers, "output_error"),
                "bits_per_weight": content.get("bits_per_weight"),
                "weight_bytes": result["weight_bytes"],
                "perplexity": result["perplexity"],
                "perplexity_tokens": result["tokens"] or None,
            }
        )
        rows += layers
    table = pd.DataFrame(rows, columns=COLUMNS)
    integers = {name: "Int64" for name in ("layer", "weight_bytes", "perplexity_tokens")}
    floats = {name: "float64" for name in COLUMNS if name.endswith("error")}
    return table.astype({**integers, **floats, "bits_per_weight": float, "perplexity": float})


def _layer_row(entry: Mapping[str, object]) -> dict:
    match = _LAYER.search(str(entry["module"]))
    return {
        "layer": int(match[1]) if match else None,
        "module": match[2] if match else entry["module"],
        "weight_error": entry["relative_error"],
        "output_error": entry.get("output_error"),
        "bits_per_weight": entry["bits_per_weight"],
    }


def _mean(rows: Sequence[Mapping[str, object]], column: str) -> float | None:
    values = [row[column] for row in rows if row[column] is not None]
    return sum(values) / len(values) if values else None
