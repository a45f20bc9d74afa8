"""Generation: every prompt of one model and precision, answered once by one engine lifetime."""

import json
import logging
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quantrag.checkpoints.folder import embedding_rows, read_config, weight_bytes
from quantrag.checkpoints.model_config import context_limit
from quantrag.engines.base import (
    Completion,
    Continuation,
    Engine,
    EngineSpec,
    Likelihood,
    Request,
)
from quantrag.engines.registry import ENGINES, create_engine
from quantrag.errors import UserError
from quantrag.generation.cell_tables import (
    Answer,
    baseline_answers,
    cell_rows,
    completions_table,
    ordered,
    read_prompts,
)
from quantrag.generation.job import (
    GenerationJob,
    comparable_settings,
    completion_keys,
    continuation_key,
    job_identity,
)
from quantrag.generation.journal import NO_SPACE, Journal, Journaled, read_journal
from quantrag.generation.session_costs import costs_row
from quantrag.runtime.provenance import content_hash, environment
from quantrag.runtime.telemetry import Meter, Stopwatch, progress
from quantrag.tables import write_table, write_text

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
    baseline_files: Sequence[str | Path] = (),
) -> None:
    """Answer and score what the journal doesn't have yet, then write a file per cell, and costs.

    Args:
        job: what to run.
        prompt_files: `.../{task}/{retriever}.parquet`, all of the model.
        completion_files: `.../{task}/{retriever}/k{k}.parquet`, one per cell.
        costs_file: JSON with the job's row of `costs.csv`, hashes and provenance.
        journal_file: the completion journal; created when it doesn't exist.
        engine_factory: gives the engine of a spec.
        baseline_files: with `gold+baseline`, completions files of the baseline, whose answers are
            scored too; none where the job is the baseline's own.

    Raises:
        UserError: missing or bad inputs, an engine that won't start, a full disk.
    """
    prompts = read_prompts(prompt_files)
    spec = replace(job.spec, likelihood=job.likelihood != "none")
    job = replace(job, spec=spec)
    identity = job_identity(spec)
    base = content_hash(identity)
    cells = cell_rows(prompts, completion_files)
    wanted = np.unique(np.concatenate([rows for _, rows in cells]))
    hashes = prompts.column("prompt_hash").take(pa.array(wanted)).to_pylist()
    keys = completion_keys(base, hashes)
    key_of_row = dict(zip(wanted.tolist(), keys, strict=True))
    of_baseline = baseline_answers(baseline_files) if spec.likelihood else {}
    continuations = {}
    if spec.likelihood:
        for row, prompt_hash in zip(wanted.tolist(), hashes, strict=True):
            texts = prompts.column("continuations")[row].as_py()
            answer = of_baseline.get(prompt_hash)
            continuations[row] = _Continuations(
                [(continuation_key(base, prompt_hash, ids), ids) for ids in texts],
                answer and (continuation_key(base, prompt_hash, answer.token_ids), answer),
            )
    all_keys = set(keys).union(*(own.keys() for own in continuations.values()))

    with Journal(journal_file) as journal:
        known = read_journal(journal_file, all_keys)
        missing = _missing(key_of_row, continuations, known)
        log.info(
            "%d prompts in %d cells, %d distinct; %d answered in the journal, %d to generate; %d "
            "likelihoods, %d in the journal.",
            sum(len(rows) for _, rows in cells),
            len(cells),
            len(set(keys)),
            len(known.completions),
            sum(work.answer for work in missing.values()),
            len(all_keys) - len(set(keys)),
            len(known.likelihoods),
        )
        longest = int(pc.max(prompts.column("n_tokens").take(pa.array(wanted))).as_py())
        written = [len(ids) for own in continuations.values() for _, ids in own.all()]
        length = longest + max([spec.sampling.max_new_tokens, *(n + 1 for n in written)])
        if missing:
            total = len(set(keys))
            _run_engine(job, base, prompts, missing, total, length, journal, engine_factory)
    if missing:
        known = read_journal(journal_file, all_keys)
    completions, sessions, likelihoods = known
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
            own = [completions[key_of_row[row]] for row in rows.tolist()]
            texts, answers = _likelihoods_of(rows.tolist(), continuations, likelihoods)
            if job.likelihood == "gold+baseline" and not baseline_files:
                answers = list(map(_of_itself, own))
            table = completions_table(prompts, rows, own, texts, answers)
            write_table(table, path, metadata)
        costs = costs_row(
            job.spec.model,
            job.precision,
            job.spec.engine,
            job.spec.device,
            weight_bytes(job.spec.checkpoint),
            length,
            list(completions.values()),
            sessions,
        )
        costs["settings_hash"] = content_hash(comparable_settings(identity))
        costs["prompts_hash"] = content_hash(sorted(set(hashes)))
        costs["provenance"] = origin
        write_text(json.dumps(costs, indent=1, sort_keys=True) + "\n", costs_file)
    except OSError as error:
        if error.errno in NO_SPACE:
            raise UserError(
                f"{Path(completion_files[0]).parents[2]}: no space left to write the results. All "
                "completions are in the journal: free some space and run again."
            ) from error
        raise


class _Continuations(NamedTuple):
    """What is scored after one row's prompt, each with its key in the journal.

    `texts` are the prompt's own continuations; `baseline` is the baseline's answer, None where it
    isn't scored.
    """

    texts: list[tuple[str, list[int]]]
    baseline: tuple[str, Answer] | None

    def all(self) -> list[tuple[str, list[int]]]:
        baseline = [(self.baseline[0], self.baseline[1].token_ids)] if self.baseline else []
        return [*self.texts, *baseline]

    def keys(self) -> set[str]:
        return {key for key, _ in self.all()}


class _Work(NamedTuple):
    """What is left to do for one distinct prompt, whose text is in a row of the prompts."""

    row: int
    answer: bool
    continuations: dict[str, list[int]]


def _missing(
    key_of_row: Mapping[int, str], continuations: Mapping[int, _Continuations], known: Journaled
) -> dict[str, _Work]:
    """What the journal lacks, by the key of the prompt's completion."""
    missing: dict[str, _Work] = {}
    for row, key in key_of_row.items():
        # Several rows may have the same prompt, and each its own gold.
        own = continuations[row].all() if row in continuations else []
        wanted = {k: ids for k, ids in own if k not in known.likelihoods}
        if key in missing:
            missing[key].continuations.update(wanted)
        elif wanted or key not in known.completions:
            missing[key] = _Work(row, key not in known.completions, wanted)
    return missing


def _likelihoods_of(
    rows: Sequence[int],
    continuations: Mapping[int, _Continuations],
    known: Mapping[str, Likelihood],
) -> tuple[list[list[Likelihood] | None], list[tuple[Likelihood, list[float]] | None]]:
    """Of each row its continuations' likelihoods, and that of the baseline's answer.

    None where they weren't asked for, or the engine doesn't score.
    """
    texts: list[list[Likelihood] | None] = []
    of_baseline: list[tuple[Likelihood, list[float]] | None] = []
    for row in rows:
        own = continuations.get(row, _Continuations([], None))
        found = [known[key] for key, _ in own.texts if key in known]
        texts.append(found if found and len(found) == len(own.texts) else None)
        key, answer = own.baseline or (None, None)
        of_baseline.append((known[key], answer.logprobs) if key in known else None)
    return texts, of_baseline


def _of_itself(completion: Completion) -> tuple[Likelihood, list[float]] | None:
    """How likely the baseline's answer is under the baseline: known since it was generated."""
    if not completion.token_ids or len(completion.token_ids) != len(completion.logprobs):
        return None
    top = [True] * len(completion.token_ids)
    return Likelihood(completion.key, completion.logprobs, top), completion.logprobs


def _run_engine(
    job: GenerationJob,
    base: str,
    prompts: pa.Table,
    missing: Mapping[str, _Work],
    total: int,
    length: int,
    journal: Journal,
    engine_factory: EngineFactory,
) -> None:
    """Load the engine, do what is `missing` and journal each result.

    `total` is the number of distinct prompts, `length` the longest one with what follows it, in
    tokens.
    """
    spec = replace(job.spec, max_model_len=length)
    limit, _ = context_limit(read_config(spec.original))
    if limit is not None and spec.max_model_len > limit:
        raise UserError(
            f"The longest prompt and its answer have {length} tokens, more than the {limit} of "
            f"{spec.model}. Lower the model's context in the config."
        )
    _check_ids(prompts, spec)
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
        "likelihoods": 0,
    }
    watch = Stopwatch()
    try:
        engine.load()
        session["load_s"] = watch.seconds()
        session["report"] = engine.report()
        log.info("%s loaded in %.1f s: %s", spec.engine, session["load_s"], session["report"])
        _answer(engine, job, prompts, missing, total, session, meter, journal)
    finally:
        meter.stop()
        engine.close()


def _check_ids(prompts: pa.Table, spec: EngineSpec) -> None:
    """Refuse prompts with a token that the model doesn't know: an engine would stop at the first.

    A tokenizer may have more tokens than the model has embeddings (a padding token added later).
    """
    rows = embedding_rows(spec.checkpoint)
    largest = pc.max(pc.list_flatten(prompts.column("token_ids"))).as_py()
    if rows is not None and largest is not None and largest >= rows:
        raise UserError(
            f"{spec.original}: a prompt has the token {largest}, but {spec.model} has only {rows} "
            "embeddings: its tokenizer isn't the model's. Delete the model's prompts to build "
            "them anew."
        )


def _answer(
    engine: Engine,
    job: GenerationJob,
    prompts: pa.Table,
    missing: Mapping[str, _Work],
    total: int,
    session: dict[str, Any],
    meter: Meter,
    journal: Journal,
) -> None:
    ids = prompts.column("token_ids").combine_chunks()
    flat, offsets = ids.values.to_numpy(), ids.offsets.to_numpy()
    texts = prompts.column("prompt")
    if not engine.scores_continuations:
        missing = {k: w._replace(continuations={}) for k, w in missing.items() if w.answer}
    if not missing:
        return
    key_of_row = {work.row: key for key, work in missing.items()}

    def token_ids(row: int) -> np.ndarray:
        return flat[offsets[row] : offsets[row + 1]]

    def request(row: int) -> Request:
        key = key_of_row[row]
        own = missing[key].continuations.items()
        return Request(
            key,
            token_ids(row).tolist(),
            texts[row].as_py(),
            missing[key].answer,
            tuple(Continuation(*continuation) for continuation in own),
        )

    rows = ordered(list(key_of_row), token_ids, engine.preferred_order, job.shuffle_seed)
    # A generator: 80,000 prompts as Python lists would take gigabytes.
    requests = map(request, rows)
    watch, recorded = Stopwatch(), 0.0
    bar = progress(total, total - len(rows))
    # Results that are still to come, each with the prompt that it is of.
    owner = {key: prompt for prompt, work in missing.items() for key in work.continuations}
    owner |= {key: key for key, work in missing.items() if work.answer}
    waiting = Counter(owner.values())
    try:
        for result in engine.generate(requests):
            journal.append(result)
            prompt = owner.pop(result.key)
            session["generate_s"] = seconds = watch.seconds()
            if isinstance(result, Likelihood):
                session["likelihoods"] += 1
            else:
                session["prompts"] += 1
                session["prompt_tokens"] += result.prompt_tokens
                session["cached_tokens"] += result.cached_tokens or 0
                session["output_tokens"] += result.output_tokens
            waiting[prompt] -= 1
            if not waiting[prompt]:
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
        if session["prompts"] or session["likelihoods"]:
            journal.append_session(session | meter.reading())
    if owner:
        left = len(set(owner.values()))
        raise UserError(f"The engine left {left} prompts unfinished. Run again to retry.")
    log.info(
        "%d prompts and %d likelihoods in %.1f s: %d prompt tokens, %d of them (%.0f%%) from the "
        "prefix cache.",
        session["prompts"],
        session["likelihoods"],
        session["generate_s"],
        session["prompt_tokens"],
        session["cached_tokens"],
        100 * session["cached_tokens"] / max(1, session["prompt_tokens"]),
    )


def _distinct(values: Any) -> list[Any]:
    """The different values, in order of first appearance."""
    seen = {content_hash(value): value for value in values}
    return list(seen.values())
