"""The estimate of an experiment's cost as a table for the terminal."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyarrow.parquet import read_table

from quantrag.checkpoints.folder import weight_bytes
from quantrag.engines.registry import perplexity_texts
from quantrag.errors import UserError
from quantrag.estimate.model import (
    Row,
    Work,
    counted_work,
    estimate_row,
    model_shape,
    typical_work,
)
from quantrag.estimate.sample_size import sample_size
from quantrag.generation.cards import all_rates
from quantrag.grid import K, retrievers_with_none
from quantrag.quantization.precisions import Precision
from quantrag.tasks.registry import load_all, published_files, typical_sizes
from quantrag.tasks.task import PROFILE

_COLUMNS = (
    "model", "precision", "prompts", "M tokens", "computed", "GPU h", "kWh", "download", "disk",
)  # fmt: skip
_WIDTH = 110  # of a paragraph, in characters


def estimate(
    config: Mapping[str, Any], facts: Mapping[str, Any], results: Path, resources: Path
) -> str:
    """What every model and precision of an experiment will cost, and what that assumes.

    Args:
        config: the configuration with its defaults.
        facts: content of `config/estimate.yaml`.
        results: the experiment's folder; prompts that lie there are counted.
        resources: folder of the checkpoints.

    Raises:
        UserError: an unknown card or model, or one that is too large for the card.
    """
    name = config["estimate"]["gpu"]
    if name not in facts["gpus"]:
        raise UserError(f"estimate.gpu: {name!r} is unknown. Allowed: {', '.join(facts['gpus'])}")
    gpu = facts["gpus"][name]
    refused = _refused(config, gpu)
    rows: list[Row] = []
    for model in config["models"]:
        original = resources / "checkpoints" / model / "original"
        known = original if original.is_dir() else None
        work = _work(config, facts, model, results)
        rows.append(_original(config, facts, model, known))
        for precision in config["precisions"]:
            if precision in refused:
                continue
            twice = config["noise_floor"] and precision == config["baseline"]
            rows.append(estimate_row(config, facts, model, precision, work, gpu, twice, known))
    return "\n".join(
        [
            f"Estimate for the experiment {config['experiment']!r} on one {name}: figures to plan "
            "with, from data sheets,",
            "a few measurements and assumptions. Hours and energy are those of one card.",
            "",
            *_table(rows),
            "",
            *(f"Not on this card: {precision}, {why}." for precision, why in refused.items()),
            *([""] if refused else []),
            *_assumptions(config, facts, gpu, rows),
            "",
            *sample_size(config, load_all(config["tasks"]), results),
        ]
    )


def _refused(config: Mapping[str, Any], gpu: Mapping[str, Any]) -> dict[str, str]:
    """Precisions that the card can't run, and why; the workflow refuses them there."""
    found = {}
    for precision, entry in config["precisions"].items():
        support = Precision.of(precision, entry).support(config["generation"]["engine"], "cuda")
        why = support.needs.gpu_refusal(tuple(gpu["capability"]))
        if why:
            found[precision] = why
    return found


def _work(config: Mapping[str, Any], facts: Mapping[str, Any], model: str, results: Path) -> Work:
    """Counted where all prompts of the model are there, typical otherwise."""
    retrievers = retrievers_with_none(config["retrievers"], [K.parse(k) for k in config["k"]])
    names = [f"{task}/{retriever}" for task in config["tasks"] for retriever in retrievers]
    paths = [results / "prompts" / model / f"{name}.parquet" for name in names]
    if all(path.is_file() for path in paths):
        counts = {}
        for name, path in zip(names, paths, strict=True):
            table = read_table(path, columns=["query_id", "k", "n_tokens"])
            columns = (table[column].to_pylist() for column in ("query_id", "k", "n_tokens"))
            counts[name] = list(zip(*columns, strict=True))
        return counted_work(config, counts, facts["tasks"])
    return typical_work(config, model, facts["tasks"])


def _original(
    config: Mapping[str, Any], facts: Mapping[str, Any], model: str, known: Path | None
) -> Row:
    """The model's original checkpoint, which every precision needs for its tokenizer at least."""
    source = config["models"][model]["source"]
    size_gb = 2 * model_shape(source, facts["models"], known)["billions"]
    if known is not None:
        size_gb = weight_bytes(known) / 1e9
    download = size_gb if source["kind"] == "huggingface" and known is None else 0.0
    disk = 0.0 if source["kind"] == "folder" else size_gb
    return Row(model, "(original)", Work(0, 0, 0, 0), 0.0, 0.0, 0.0, download, disk)


def _table(rows: Sequence[Row]) -> list[str]:
    cells = [list(_COLUMNS), *(_cells(row) for row in rows)]
    hours = sum(row.generate_h + row.quantize_h for row in rows)
    sums = [
        *(f"{sum(row.work.prompts for row in rows):,}",),
        f"{sum(row.work.prompt_tokens for row in rows) / 1e6:,.0f}",
        f"{sum(row.work.computed_tokens for row in rows) / 1e6:,.0f}",
        f"{hours:,.1f}",
        f"{sum(row.energy_kwh for row in rows):,.1f}",
        f"{sum(row.download_gb for row in rows):,.0f} GB",
        f"{sum(row.disk_gb for row in rows):,.0f} GB",
    ]
    cells.append(["total", "", *sums])
    widths = [max(len(row[i]) for row in cells) for i in range(len(_COLUMNS))]
    lines = [
        "  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    rule = "-" * len(lines[0])
    return [lines[0], rule, *lines[1:-1], rule, lines[-1]]


def _cells(row: Row) -> list[str]:
    size = [f"{gb:.1f} GB" if gb else "-" for gb in (row.download_gb, row.disk_gb)]
    if not row.work.prompts:
        return [row.model, row.precision, "-", "-", "-", "-", "-", *size]
    return [
        row.model,
        row.precision,
        f"{row.work.prompts:,}",
        f"{row.work.prompt_tokens / 1e6:,.0f}",
        f"{row.work.computed_tokens / 1e6:,.0f}",
        f"{row.generate_h + row.quantize_h:.1f}",
        f"{row.energy_kwh:.1f}",
        *size,
    ]


def _assumptions(
    config: Mapping[str, Any],
    facts: Mapping[str, Any],
    gpu: Mapping[str, float],
    rows: Sequence[Row],
) -> list[str]:
    rates = all_rates(facts)
    encoders = {
        str(entry[key])
        for entry in config["retrievers"].values()
        for key in ("encoder", "query_encoder")
        if entry.get(key, {}).get("kind") == "huggingface"
    }
    counted = {row.model for row in rows if row.work.counted}
    lines = [
        *textwrap.wrap(f"Measured on {rates['on']}:", _WIDTH),
        f"- reading prompts at {rates['prefill_efficiency']:.0%} of the TFLOPS in 16 bits, "
        f"{rates['dequantizing_efficiency']:.0%} where weights are unpacked on the way, "
        f"{rates['eight_bit_efficiency']:.0%} in 8 bits,",
        "  if writing answers takes what is assumed",
        "Assumed (config/estimate.yaml), also that other cards reach the same parts:",
        f"- the card: {gpu['tflops_16bit']} TFLOPS in 16 bits, {gpu['tflops_8bit']} in 8, "
        f"{gpu['bandwidth_gb_s']} GB/s, {gpu['watts']} W all the time",
        f"- writing answers at {rates['decode_efficiency']:.0%} of the bandwidth",
        f"- {rates['engine_start_s']} s to start the engine, weights read at "
        f"{rates['read_gb_per_s']} GB/s, quantization {rates['quantize_minutes_per_billion']} "
        "minutes per billion parameters",
        "- documents that a query's prompts share are computed once, where vLLM caches prefixes",
    ]
    for task in load_all(config["tasks"]):
        size = typical_sizes(config["tasks"][task.name], facts["tasks"][task.dataset])
        searched = "a user" if task.scope == PROFILE else "a ranking"
        if len(counted) < len(config["models"]):
            lines.append(
                f"- {task.name}: {size['queries']} queries, {size['documents']:g} documents of "
                f"{size['document_tokens']} tokens {searched}, {size['query_tokens']} tokens of "
                f"query and instructions, answers of {size['answer_tokens']} tokens"
            )
    if counted:
        lines.append(f"- prompts as they were built, not assumed: {', '.join(sorted(counted))}")
    if any(published_files(task, "train", "") for task in config["tasks"].values()):
        lines.append("Not in the sums: LaMP's files (sizes unknown to us, hundreds of MB a task)")
    if encoders:
        size_gb = len(encoders) * facts["encoder_gb"]
        lines.append(f"and {len(encoders)} encoders, about {size_gb:.1f} GB; encoding, minutes.")
    if perplexity_texts(config):
        lines.append(
            "Perplexity isn't in them either: minutes of the card for each model and precision."
        )
    return lines
