"""Generation: every prompt of one model and precision, answered once by one engine lifetime."""

import errno
import json
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quantrag.checkpoints.folder import read_config, weight_bytes
from quantrag.engines.base import Engine, EngineSpec, Request
from quantrag.engines.registry import ENGINES, create_engine
from quantrag.errors import UserError
from quantrag.generation.cell_tables import cell_rows, completions_table, ordered, read_prompts
from quantrag.generation.job import (
    GenerationJob,
    comparable_settings,
    completion_keys,
    job_identity,
)
from quantrag.generation.journal import Journal, read_journal
from quantrag.generation.session_costs import summarize
from quantrag.runtime.provenance import content_hash, environment
from quantrag.runtime.telemetry import Meter, Stopwatch, progress
from quantrag.tables import atomic_path, write_table

log = logging.getLogger(__name__)

#: Seconds between two records of a session's cost, so that a kill loses little of it.
_SESSION_INTERVAL = 30
EngineFactory = Callable[[EngineSpec], Engine]


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
        engine_factory: gives the engine of a spec.

    Raises:
        UserError: missing or bad inputs, an engine that won't start, a full disk.
    """
    prompts = read_prompts(prompt_files)
    identity = job_identity(job.spec)
    base = content_hash(identity)
    cells = cell_rows(prompts, completion_files)
    wanted = np.unique(np.concatenate([rows for _, rows in cells]))
    hashes = prompts.column("prompt_hash").take(pa.array(wanted)).to_pylist()
    keys = completion_keys(base, hashes)
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
            answered = len(known)
            _run_engine(job, base, prompts, missing, answered, longest, journal, engine_factory)
    known, sessions = read_journal(journal_file, set(keys))
    sessions = [session for session in sessions if session["identity"] == base]

    origin = {
        "model": job.spec.model,
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
            job.spec.model,
            job.precision,
            job.spec.engine,
            job.spec.device,
            weight_bytes(job.spec.checkpoint),
            list(known.values()),
            sessions,
        )
        costs["settings_hash"] = content_hash(comparable_settings(identity))
        costs["prompts_hash"] = content_hash(sorted(set(hashes)))
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


def _run_engine(
    job: GenerationJob,
    base: str,
    prompts: pa.Table,
    missing: Mapping[str, int],
    answered: int,
    longest: int,
    journal: Journal,
    engine_factory: EngineFactory,
) -> None:
    """Load the engine, answer `missing` (row of the prompts by key) and journal each completion."""
    spec = replace(job.spec, max_model_len=longest + job.spec.sampling.max_new_tokens)
    limit = read_config(spec.original)
    limit = limit.get("text_config", limit).get("max_position_embeddings")
    if limit is not None and spec.max_model_len > limit:
        raise UserError(
            f"The longest prompt ({longest} tokens) and its answer "
            f"({spec.sampling.max_new_tokens}) exceed the {limit} tokens of {spec.model}. Lower "
            "the model's context in the config."
        )
    engine = engine_factory(spec)
    meter = Meter(spec.device, ENGINES[spec.engine].gpus(spec.options))
    session: dict[str, Any] = {
        "session": uuid.uuid4().hex,
        "identity": base,
        "environment": environment(spec.device),
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
        log.info("%s loaded in %.1f s: %s", spec.engine, session["load_s"], session["report"])
        _answer(engine, job, prompts, missing, answered, session, meter, journal)
    finally:
        meter.stop()
        engine.close()


def _answer(
    engine: Engine,
    job: GenerationJob,
    prompts: pa.Table,
    missing: Mapping[str, int],
    answered: int,
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
    bar = progress(answered + len(rows), answered)
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
