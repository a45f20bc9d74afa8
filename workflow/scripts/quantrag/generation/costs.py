"""costs.csv: what each model and precision took, from the files that generation writes."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from quantrag.errors import UserError
from quantrag.generation.cards import smallest_card

COST_COLUMNS = [
    *["model", "precision", "engine", "device", "weights_gib", "loaded_gib"],
    *["cache_bytes_per_token", "cache_tokens", "longest_tokens", "memory_gib"],
    *["smallest_gpu", "peak_memory_gib", "load_s"],
    *["prompt_tokens", "cached_tokens", "output_tokens", "prompt_tokens_per_s"],
    *["output_tokens_per_s", "energy_wh"],
]


def join_costs(
    paths: Iterable[str | Path], usable: Mapping[str, Mapping[str, float]]
) -> pd.DataFrame:
    """Read the cost files in the order given.

    Args:
        paths: JSON objects with the keys `COST_COLUMNS` but `smallest_gpu`, which is found here;
            null where something wasn't measured. `settings_hash` and `prompts_hash` are only
            compared, other keys left out.
        usable: of each precision, what `usable_memory` gives.

    Raises:
        UserError: a file that isn't such an object, or precisions of a model that were generated
            with different settings (engine, versions, sampling) or prompts.
    """
    measured = [column for column in COST_COLUMNS if column != "smallest_gpu"]
    rows = []
    seen: dict[tuple[str, str], tuple[str | None, str]] = {}
    for path in paths:
        try:
            entry = json.loads(Path(path).read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise UserError(f"{path}: not JSON ({error}). Generate it again.") from None
        missing = [key for key in measured if not isinstance(entry, dict) or key not in entry]
        if missing:
            raise UserError(f"{path}: without the keys {', '.join(missing)}. Generate it again.")
        for what, key in (("settings", "settings_hash"), ("prompts", "prompts_hash")):
            first = seen.setdefault((entry["model"], key), (entry.get(key), entry["precision"]))
            if first[0] != entry.get(key):
                raise UserError(
                    f"{path}: {entry['model']} at {entry['precision']} was generated with other "
                    f"{what} than at {first[1]}, so the two can't be compared. Generate the older "
                    "one again (delete its completions)."
                )
        card = smallest_card(entry["memory_gib"], usable[entry["precision"]])
        rows.append({**{key: entry[key] for key in measured}, "smallest_gpu": card})
    table = pd.DataFrame(rows, columns=COST_COLUMNS)
    # With an unknown one among them they would become floats.
    whole = ["cache_bytes_per_token", "cache_tokens", "cached_tokens"]
    return table.astype(dict.fromkeys(whole, "Int64"))
