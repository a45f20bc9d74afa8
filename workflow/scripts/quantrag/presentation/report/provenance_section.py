"""What the page says about where its numbers come from."""

import json
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from quantrag.errors import UserError
from quantrag.runtime.commit import git_commit
from quantrag.tables import read_metadata

#: Packages that decide a number after generation.
PACKAGES = ("numpy", "scipy", "statsmodels", "pandas", "rouge-score", "scikit-learn", "altair")


def run_records(files: Sequence[str | Path], costs: Sequence[str | Path]) -> list[dict[str, str]]:
    """What generated the answers of each model and precision, as label and text.

    Args:
        files: a completions file of each model and precision.
        costs: their cost files, in the same order.

    Raises:
        UserError: a file without provenance.
    """
    return [_run_record(*pair) for pair in zip(files, costs, strict=True)]


def _run_record(file: str | Path, costs_file: str | Path) -> dict[str, str]:
    try:
        origin = json.loads(read_metadata(file)["provenance"])
    except KeyError:
        raise UserError(f"{file}: no provenance in its metadata. Generate it again.") from None
    costs = json.loads(Path(costs_file).read_text(encoding="utf-8"))
    identity = origin["identity"]
    environments = origin["environments"]
    sampling = {**identity["sampling"]}
    sampling.pop("stop_token_ids", None)
    energy, peak = costs["energy_wh"], costs["peak_memory_gib"]
    record = {
        "Model": origin["model"],
        "Precision": origin["precision"],
        "Checkpoint": identity["checkpoint"],
        "Source": _settings(origin["checkpoint_source"]),
        "Engine": f"{identity['engine']} {identity['engine_version']}",
        "Engine's settings": _settings(identity["options"]),
        "Number format": f"{identity['dtype']}, KV cache {identity['kv_cache_dtype']}",
        "Decoding": _settings(sampling),
        "Order of prompts": origin["order"],
        "Device": _joined(f"{e['device']}{_driver(e)}" for e in environments),
        "Software": _joined(
            f"Python {e['python']}, {_settings(e['packages'])}" for e in environments
        ),
        "Git commit": _joined(str(e["git_commit"] or "not known") for e in environments),
        "Loading": _number(costs["load_s"], "{:,.1f} s"),
        "Tokens": f"{costs['prompt_tokens']:,} in prompts, {costs['output_tokens']:,} in answers",
        "Speed": _number(costs["prompt_tokens_per_s"], "{:,.0f} prompt tokens/s")
        + ", "
        + _number(costs["output_tokens_per_s"], "{:,.1f} output tokens/s"),
        "Kernels": _joined(_kernels(report) for report in origin["engine_reports"]),
        "Memory": _number(costs["memory_gib"], "{:,.2f} GiB of weights and longest prompt"),
        "Peak memory": _number(peak, "{:,.2f} GiB"),
        "Energy": _number(energy, "{:,.2f} Wh"),
    }
    return record


def rule_times(folder: str | Path) -> list[dict[str, Any]]:
    """Time and memory that each rule's jobs took when they last ran, from Snakemake's benchmarks.

    Args:
        folder: of the benchmarks: `<rule>/...tsv`. Jobs without a file are left out.

    Returns:
        rule, jobs, seconds (of all jobs together), longest (seconds), memory (MiB, of the largest).
    """
    folder = Path(folder)
    rows = []
    for path in sorted(folder.rglob("*.tsv")):
        table = pd.read_csv(path, sep="\t", na_values=["-"])
        if {"s", "max_rss"} <= set(table.columns) and len(table):
            name = path.relative_to(folder).with_suffix("").parts[0]
            rows.append({"rule": name, "s": table["s"].sum(), "rss": table["max_rss"].max()})
    if not rows:
        return []
    table = pd.DataFrame(rows).groupby("rule")
    times = table.agg(
        jobs=("s", "size"), seconds=("s", "sum"), longest=("s", "max"), memory=("rss", "max")
    )
    return times.sort_values("seconds", ascending=False).reset_index().to_dict("records")


def software(folder: Path) -> dict[str, str]:
    """The project's commit and the versions of the packages behind scores and statistics."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {"quantrag (git commit)": git_commit(folder) or "not known", **versions}


def config_text(config: Mapping[str, Any]) -> str:
    """The whole configuration, with defaults, as YAML."""
    return yaml.safe_dump(json.loads(json.dumps(config)), sort_keys=False, allow_unicode=True)


def _settings(values: Mapping[str, Any]) -> str:
    found = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            found.append(f"{key} ({_settings(value)})")
        elif value is not None:
            found.append(f"{key} {value}")
    return ", ".join(found)


def _kernels(report: Mapping[str, Any]) -> str:
    kernels = report.get("kernels") or {}
    # An older report names them without their layers.
    if not isinstance(kernels, Mapping):
        return ", ".join(kernels) or "not known"
    return ", ".join(f"{layer} {' and '.join(k)}" for layer, k in kernels.items()) or "not known"


def _driver(environment: Mapping[str, Any]) -> str:
    return f", driver {environment['driver']}" if environment["driver"] else ""


def _joined(texts) -> str:
    return "; then ".join(dict.fromkeys(texts)) or "not known"


def _number(value: float | None, text: str) -> str:
    return "not measured" if value is None else text.format(value)
