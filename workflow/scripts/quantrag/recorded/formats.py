"""The formats of recorded answers, each a module with `read(path, options) -> list[Record]`.

Adding one is a module here and an entry of `FORMATS`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quantrag.recorded import inspect_ai, lm_eval, paper_answers, quantization_flips, table
from quantrag.recorded.record import Record

FORMATS = {
    "table": table,
    "quantization-flips": quantization_flips,
    "lm-eval": lm_eval,
    "inspect": inspect_ai,
    "paper": paper_answers,
}


def read(format: str, path: str | Path, options: Mapping[str, Any]) -> list[Record]:
    """The answers in a file, as its format's module reads them."""
    return FORMATS[format].read(Path(path), options)
