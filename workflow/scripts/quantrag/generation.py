"""Generation: every prompt of one model and precision, answered once by one engine lifetime."""

import errno
import json
import logging
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quantrag.checkpoints import fingerprint, read_config, weight_bytes
from quantrag.engines.base import Completion, Engine, EngineSpec, Request, Sampling
from quantrag.engines.select import WITHOUT_EFFECT_ON_ANSWERS, create_engine, engine_version
from quantrag.errors import UserError
from quantrag.journal import Journal, read_journal
from quantrag.provenance import content_hash, environment
from quantrag.session_costs import summarize
from quantrag.tables import atomic_path, read_arrow, write_table
from quantrag.telemetry import Meter, Stopwatch, progress

log = logging.getLogger(__name__)

#: Seconds between two records of a session's cost, so that a kill loses little of it.
_SESSION_INTERVAL = 30
_COLUMNS = ["query_id", "k", "prompt", "token_ids", "n_tokens", "prompt_hash"]

COMPLETIONS_SCHEMA = pa.schema(
    [
        ("query_id", pa.string()),
        ("prompt_hash", pa.string()),
        ("text", pa.string()),
        ("finish_reason", pa.string()),
        ("prompt_tokens", pa.int32()),
        ("cached_tokens", pa.int32()),
        ("output_tokens", pa.int32()),
        (
            "first_token_logprobs",
            pa.list_(pa.struct([("token", pa.string()), ("logprob", pa.float64())])),
        ),
    ]
)

EngineFactory = Callable[[str, EngineSpec], Engine]


@dataclass(frozen=True)
class GenerationJob:
    """One job: a model at one precision, over all cells of the grid.

    Attributes:
        model: name of the model in the config.
        precision: name of the precision in the config (`noise-floor` for the second pass).
        served_precision: the precision whose checkpoint is used; differs for the noise floor.
        checkpoint: folder of the weights.
        original: folder of the model's original checkpoint: its tokenizer and its stop tokens
            serve every precision.
        dtype: see `EngineSpec.dtype`.
        kv_cache_dtype: see `EngineSpec.kv_cache_dtype`.
        settings: the section `generation` of the config.
        shuffle_seed: None for the order that suits the engine; a seed for a random order.
        threads: CPU threads.
        source: where the checkpoint came from (repository and revision, quantization), for the
            record.
    """

    model: str
    precision: str
    served_precision: str
    checkpoint: Path
    original: Path
    dtype: str
    kv_cache_dtype: str
    settings: Mapping[str, Any]
    shuffle_seed: int | None
    threads: int
    source: Mapping[str, Any]


def generate_cells(
    job: GenerationJob,
    prompt_files: Sequence[str | Path],
    completion_files: Sequence[str | Path],
    costs_file: str | Path,
    journal_file: str | Path,
    engine_factory: EngineFactory = create_engine,
) -> None:
    """Answer what the journal doesn't answer yet, then write one file per cell, and the costs.

    Args:
        job: what to run.
        prompt_files: `.../{task}/{retriever}.parquet`, all of the model.
        completion_files: `.../{task}/{retriever}/k{k}.parquet`, one per cell.
        costs_file: JSON with the job's row of `costs.csv`, hashes and provenance.
        journal_file: the completion journal; created when it doesn't exist.
        engine_factory: gives the engine by name.

    Raises:
        UserError: missing or bad inputs, an engine that won't start, a full disk.
    """
    prompts = read_prompts(prompt_files)
    identity = job_identity(job)
    base = content_hash(identity)
    cells = cell_rows(prompts, completion_files)
    wanted = np.unique(np.concatenate([rows for _, rows in cells]))
    keys = completion_keys(base, prompts.column("prompt_hash").take(pa.array(wanted)).to_pylist())
    key_of_row = dict(zip(wanted.tolist(), keys, strict=True))

    with Journal(journal_file) as journal:
        known, _ = read_journal(journal_file, set(keys))
        missing = {key: row for row, key in key_of_row.items() if key not in known}
        log.info(
            "%d prompts in %d cells, %d distinct; %d answered in the journal, %d to generate.",
            sum(len(rows) for _, rows in cells),
            len(cells),
            len(set(keys)),
            len(known),
            len(missing),
        )
        if missing:
            longest = int(pc.max(prompts.column("n_tokens").take(pa.array(wanted))).as_py())
            _run_engine(job, base, prompts, missing, longest, journal, engine_factory)
    known, sessions = read_journal(journal_file, set(keys))
    sessions = [session for session in sessions if session["identity"] == base]

    origin = {
        "model": job.model,
        "precision": job.precision,
        "identity": identity,
        "checkpoint_source": job.source,
        "order": "shuffled" if job.shuffle_seed is not None else "engine",
        "environments": _distinct(session["environment"] for session in sessions),
        "engine_reports": _distinct(session["report"] for session in sessions),
    }
    metadata = {"provenance": json.dumps(origin, sort_keys=True)}
    try:
        for path, rows in cells:
            table = completions_table(prompts, rows, [known[key_of_row[r]] for r in rows.tolist()])
            write_table(table, path, metadata)
        costs = summarize(
            job.model,
            job.precision,
            job.settings,
            weight_bytes(job.checkpoint),
            list(known.values()),
            sessions,
        )
        costs["settings_hash"] = content_hash(comparable_settings(identity))
        costs["prompts_hash"] = content_hash(
            sorted(set(prompts.column("prompt_hash").take(pa.array(wanted)).to_pylist()))
        )
        costs["provenance"] = origin
        with atomic_path(costs_file) as temporary:
            temporary.write_text(json.dumps(costs, indent=1, sort_keys=True) + "\n")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise UserError(
                f"{Path(completion_files[0]).parents[2]}: no space left to write the results. All "
                "completions are in the journal: free some space and run again."
            ) from error
        raise


def read_prompts(paths: Sequence[str | Path]) -> pa.Table:
    """All prompts of a model, with `task` and `retriever` from the files' paths.

    Raises:
        UserError: a file is missing or lacks a column.
    """
    tables = []
    for path in map(Path, paths):
        table = read_arrow(path)
        absent = [name for name in _COLUMNS if name not in table.column_names]
        if absent:
            raise UserError(f"{path}: no column {', '.join(absent)}: not a file of prompts.")
        table = table.select(_COLUMNS).cast(
            pa.schema(
                [
                    ("query_id", pa.string()),
                    ("k", pa.string()),
                    ("prompt", pa.large_string()),
                    ("token_ids", pa.large_list(pa.int32())),
                    ("n_tokens", pa.int32()),
                    ("prompt_hash", pa.string()),
                ]
            )
        )
        for name, value in (("task", path.parent.name), ("retriever", path.stem)):
            table = table.append_column(name, pa.repeat(value, len(table)))
        tables.append(table)
    return pa.concat_tables(tables).combine_chunks()


def cell_rows(
    prompts: pa.Table, completion_files: Sequence[str | Path]
) -> list[tuple[Path, np.ndarray]]:
    """The rows of `prompts` (in their order) that each completions file answers.

    Raises:
        UserError: a cell has no prompts.
    """
    keys = prompts.select(["task", "retriever", "k"]).to_pandas()
    groups = {
        name: np.asarray(rows)
        for name, rows in keys.groupby(["task", "retriever", "k"], sort=False).indices.items()
    }
    cells = []
    for path in map(Path, completion_files):
        task, retriever, k = path.parts[-3], path.parts[-2], path.stem.removeprefix("k")
        if (task, retriever, k) not in groups:
            raise UserError(
                f"{path}: there are no prompts for task {task}, retriever {retriever}, k {k}."
            )
        cells.append((path, np.sort(groups[task, retriever, k])))
    return cells


def job_identity(job: GenerationJob) -> dict[str, Any]:
    """All that decides an answer, beside the prompt; hashed into the journal's keys."""
    name = job.settings["engine"]
    options = dict(job.settings[name])
    for option in WITHOUT_EFFECT_ON_ANSWERS[name]:
        options.pop(option, None)
    return {
        "checkpoint": fingerprint(job.checkpoint),
        "dtype": job.dtype,
        "kv_cache_dtype": job.kv_cache_dtype,
        "engine": name,
        "engine_version": engine_version(name),
        "device": job.settings["device"],
        "options": options,
        "sampling": asdict(sampling_of(job)),
    }


def comparable_settings(identity: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an identity that must be the same for all precisions of a model."""
    varies = {"checkpoint", "dtype", "kv_cache_dtype"}
    return {name: value for name, value in identity.items() if name not in varies}


def completion_keys(base: str, prompt_hashes: Sequence[str]) -> list[str]:
    """The journal's key of each prompt: a hash of the job's identity and the prompt's tokens."""
    return [content_hash([base, prompt_hash]) for prompt_hash in prompt_hashes]


def sampling_of(job: GenerationJob) -> Sampling:
    """How to decode, with the stop tokens of the model's original checkpoint.

    Raises:
        UserError: neither `generation_config.json` nor `config.json` names an ending token.
    """
    ids: set[int] = set()
    for name in ("generation_config.json", "config.json"):
        path = job.original / name
        if path.is_file():
            value = json.loads(path.read_text(encoding="utf-8")).get("eos_token_id")
            ids.update([value] if isinstance(value, int) else value or [])
    if not ids:
        raise UserError(
            f"{job.original}: neither generation_config.json nor config.json has an eos_token_id, "
            "so answers would never end."
        )
    return Sampling(
        job.settings["max_new_tokens"],
        job.settings["first_token_candidates"],
        tuple(sorted(ids)),
    )


def ordered(
    rows: Sequence[int], token_ids: Callable[[int], np.ndarray], order: str, seed: int | None
) -> list[int]:
    """Put prompts in the order in which they are fed to the engine.

    Args:
        rows: the prompts.
        token_ids: gives a prompt's token ids.
        order: `prefix`: sorted by token ids, so that shared beginnings stand together and the
            prefix cache computes them once; `length`: longest first, so that batches are even and
            a lack of memory shows at once.
        seed: shuffle instead, for the noise floor.
    """
    if seed is not None:
        rows = sorted(rows)
        random.Random(seed).shuffle(rows)
        return rows
    if order == "length":
        return sorted(rows, key=lambda row: (-len(token_ids(row)), row))
    # Big-endian bytes compare like the numbers, and far faster than tuples.
    return sorted(rows, key=lambda row: (token_ids(row).astype(">u4").tobytes(), row))


def completions_table(
    prompts: pa.Table, rows: np.ndarray, completions: Sequence[Completion]
) -> pa.Table:
    """One cell's completions, in the order of its prompts."""
    chosen = prompts.select(["query_id", "prompt_hash"]).take(pa.array(rows))
    columns: dict[str, Any] = {
        name: [getattr(completion, name) for completion in completions]
        for name in COMPLETIONS_SCHEMA.names[2:-1]
    }
    columns["first_token_logprobs"] = [
        [{"token": token, "logprob": logprob} for token, logprob in c.first_token_logprobs]
        for c in completions
    ]
    return pa.table({**{n: chosen.column(n) for n in chosen.column_names}, **columns}).cast(
        COMPLETIONS_SCHEMA
    )


def _run_engine(
    job: GenerationJob,
    base: str,
    prompts: pa.Table,
    missing: Mapping[str, int],
    longest: int,
    journal: Journal,
    engine_factory: EngineFactory,
) -> None:
    """Load the engine, answer `missing` (row of the prompts by key) and journal each completion."""
    sampling = sampling_of(job)
    name = job.settings["engine"]
    length = longest + sampling.max_new_tokens
    limit = read_config(job.original)
    limit = limit.get("text_config", limit).get("max_position_embeddings")
    if limit is not None and length > limit:
        raise UserError(
            f"The longest prompt ({longest} tokens) and its answer ({sampling.max_new_tokens}) "
            f"exceed the {limit} tokens of {job.model}. Lower the model's context in the config."
        )
    engine = engine_factory(
        name,
        EngineSpec(
            model=job.model,
            precision=job.served_precision,
            checkpoint=job.checkpoint,
            tokenizer=job.original,
            dtype=job.dtype,
            kv_cache_dtype=job.kv_cache_dtype,
            device=job.settings["device"],
            sampling=sampling,
            max_model_len=length,
            threads=job.threads,
            options=job.settings[name],
        ),
    )
    meter = Meter(job.settings["device"], job.settings[name].get("tensor_parallel_size", 1))
    session: dict[str, Any] = {
        "session": uuid.uuid4().hex,
        "identity": base,
        "environment": environment(job.settings["device"]),
        "generate_s": 0.0,
        "prompts": 0,
        "prompt_tokens": 0,
        "cached_tokens": 0,
        "output_tokens": 0,
    }
    watch = Stopwatch()
    try:
        engine.load()
        session["load_s"] = watch.seconds()
        session["report"] = engine.report()
        log.info("%s loaded in %.1f s: %s", name, session["load_s"], session["report"])
        _answer(engine, job, prompts, missing, session, meter, journal)
    finally:
        meter.stop()
        engine.close()


def _answer(
    engine: Engine,
    job: GenerationJob,
    prompts: pa.Table,
    missing: Mapping[str, int],
    session: dict[str, Any],
    meter: Meter,
    journal: Journal,
) -> None:
    ids = prompts.column("token_ids").combine_chunks()
    flat, offsets = ids.values.to_numpy(), ids.offsets.to_numpy()
    texts = prompts.column("prompt")
    key_of_row = {row: key for key, row in missing.items()}

    def token_ids(row: int) -> np.ndarray:
        return flat[offsets[row] : offsets[row + 1]]

    rows = ordered(list(key_of_row), token_ids, engine.preferred_order, job.shuffle_seed)
    # A generator: 80,000 prompts as Python lists would take gigabytes.
    requests = (
        Request(key_of_row[row], token_ids(row).tolist(), texts[row].as_py()) for row in rows
    )
    watch, recorded = Stopwatch(), 0.0
    bar = progress(len(rows))
    open_keys = set(missing)
    try:
        for completion in engine.generate(requests):
            journal.append(completion)
            open_keys.remove(completion.key)
            session["prompts"] += 1
            session["prompt_tokens"] += completion.prompt_tokens
            session["cached_tokens"] += completion.cached_tokens or 0
            session["output_tokens"] += completion.output_tokens
            session["generate_s"] = seconds = watch.seconds()
            bar.set_postfix_str(
                f"{session['prompt_tokens'] / seconds:,.0f} prompt and "
                f"{session['output_tokens'] / seconds:,.0f} output tokens/s",
                refresh=False,
            )
            bar.update()
            if seconds - recorded > _SESSION_INTERVAL:
                recorded = seconds
                journal.append_session(session | meter.reading())
    finally:
        bar.close()
        if session["prompts"]:
            journal.append_session(session | meter.reading())
    if open_keys:
        raise UserError(f"The engine left {len(open_keys)} prompts unanswered. Run again to retry.")
    log.info(
        "%d prompts in %.1f s: %d prompt tokens, %d of them (%.0f%%) from the prefix cache.",
        session["prompts"],
        session["generate_s"],
        session["prompt_tokens"],
        session["cached_tokens"],
        100 * session["cached_tokens"] / max(1, session["prompt_tokens"]),
    )


def _distinct(values: Any) -> list[Any]:
    """The different values, in order of first appearance."""
    seen = {content_hash(value): value for value in values}
    return list(seen.values())
