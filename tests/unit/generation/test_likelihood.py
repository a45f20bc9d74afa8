"""Likelihoods are scored beside the answers, journaled as they are, and repeat nothing."""

from dataclasses import replace

import pytest

from generation_samples import TASKS, Factory, cell_files, fake_checkpoint, make_job, run
from quantrag.generation import generate
from quantrag.runtime.telemetry import progress
from quantrag.tables import read_table

KS = ["0", "1", "3"]


@pytest.fixture
def job(tmp_path):
    return replace(make_job(fake_checkpoint(tmp_path / "checkpoint")), likelihood="gold")


def asked(factory):
    return sum(len(request.continuations) for request in factory.asked)


def content(cells):
    """What was answered and scored."""
    return [
        (row["text"], [list(one["logprobs"]) for one in row["likelihoods"]]) for row in rows(cells)
    ]


def rows(cells):
    return [row for path in cells for row in read_table(path).to_dict("records")]


def test_every_continuation_of_every_prompt_is_scored_in_order(tmp_path, job):
    factory = Factory()
    cells = run(tmp_path, KS, factory, job)
    # 3 k x 4 queries; five ratings of the first task, one text of the second.
    assert asked(factory) == 12 * 5 + 12
    table = read_table(cells[0])
    prompts = read_table(tmp_path / "prompts" / TASKS[0] / "none.parquet")
    for ids, likelihoods in zip(prompts.token_ids, table.likelihoods, strict=True):
        seeds = [sum(ids) % 7 + (20 + r) % 5 for r in range(5)]
        assert [one["logprobs"][0] for one in likelihoods] == pytest.approx(
            [-0.1 * (seed + 1) for seed in seeds]
        )
    texts = read_table(cells[-1])
    assert all(len(one["logprobs"]) == 2 for own in texts.likelihoods for one in own)
    assert texts.baseline_likelihood.isna().all()
    assert len(texts.token_ids[0]) == len(texts.logprobs[0]) == 2


def test_a_finished_experiment_computes_only_what_it_lacks(tmp_path, job):
    run(tmp_path, KS, Factory(), replace(job, likelihood="none"))
    added = Factory()
    run(tmp_path, KS, added, job)
    assert not any(request.answer for request in added.asked)
    assert asked(added) == 72
    again = Factory()
    cells = run(tmp_path, KS, again, job)
    assert not again.engines
    assert all(row["likelihoods"] is not None for row in rows(cells))
    # Without them nothing is asked for, and nothing lost.
    cells = run(tmp_path, KS, again, replace(job, likelihood="none"))
    assert not again.engines
    assert all(row["likelihoods"] is None for row in rows(cells))


@pytest.mark.parametrize("after", [1, 5, 17])
def test_a_killed_engine_loses_nothing_and_repeats_nothing(tmp_path, job, after):
    first, second = Factory(fail_after=after), Factory()
    with pytest.raises(RuntimeError):
        run(tmp_path, KS, first, job)
    run(tmp_path, KS, second, job)
    assert len(second.asked) == 24 - after
    done = sum(len(r.continuations) for r in (first.asked[1::2] + first.asked[0::2])[:after])
    assert asked(second) == 72 - done
    whole = run(tmp_path / "whole", KS, Factory(), job)
    assert content(cell_files(tmp_path / "completions/fp32", KS)) == content(whole)


def test_the_baselines_answers_are_scored_under_the_other_precision(tmp_path, job):
    baseline = run(tmp_path, KS, Factory(), replace(job, likelihood="gold+baseline"))
    for row in rows(baseline):
        own = row["baseline_likelihood"]
        assert list(own["logprobs"]) == list(own["reference"]) == list(row["logprobs"])
        assert all(own["top"])
    other = make_job(fake_checkpoint(tmp_path / "other", b"others"), precision="int4")
    other = replace(other, likelihood="gold+baseline")
    factory = Factory()
    cells = run(tmp_path, KS, factory, other, baseline_files=baseline)
    assert asked(factory) == 72 + 24
    for own, reference in zip(cells, baseline, strict=True):
        table, answers = read_table(own), read_table(reference)
        for likelihood, ids in zip(table.baseline_likelihood, answers.token_ids, strict=True):
            assert len(likelihood["logprobs"]) == len(likelihood["reference"]) == len(ids)


class Deaf(Factory):
    """Makes engines that don't score."""

    def __call__(self, spec):
        engine = super().__call__(spec)
        engine.scores_continuations = False
        return engine


def test_an_engine_that_does_not_score_leaves_them_empty(tmp_path, job):
    factory = Deaf()
    cells = run(tmp_path, KS, factory, job)
    assert asked(factory) == 0
    assert all(row["likelihoods"] is None for row in rows(cells))


def test_an_engine_that_does_not_score_is_asked_for_what_it_can_do(tmp_path, job, monkeypatch):
    shown = []

    def noted(*counts):
        shown.append(counts)
        return progress(*counts)

    monkeypatch.setattr(generate, "progress", noted)
    run(tmp_path, KS[:2], Factory(), replace(job, likelihood="none"))
    factory = Deaf()
    run(tmp_path, KS, factory, job)
    assert len(factory.asked) == 8
    # 24 distinct prompts, of which 16 were answered before.
    assert shown == [(16, 0), (24, 16)]
    journal = (tmp_path / "journals/fp32.jsonl").read_bytes()
    run(tmp_path, KS, factory, job)
    assert (len(shown), len(factory.asked)) == (2, 8)
    assert (tmp_path / "journals/fp32.jsonl").read_bytes() == journal


def test_the_longest_continuation_has_room(tmp_path, job):
    factory = Factory()
    short = replace(
        job, spec=replace(job.spec, sampling=replace(job.spec.sampling, max_new_tokens=1))
    )
    run(tmp_path, KS, factory, short)
    spec = factory.engines[0].spec
    longest = max(len(request.token_ids) for request in factory.asked)
    assert spec.max_model_len >= longest + 2 + 1
