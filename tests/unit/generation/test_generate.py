"""Generation answers every prompt once, repeats none, and records where answers come from."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from generation_samples import (
    END,
    TASKS,
    Factory,
    cell_files,
    fake_checkpoint,
    make_job,
    make_spec,
    run,
    settings,
)
from quantrag.errors import UserError
from quantrag.generation.cell_tables import COMPLETIONS_SCHEMA
from quantrag.generation.job import comparable_settings, job_identity
from quantrag.generation.journal import read_journal
from quantrag.tables import read_arrow, read_metadata, read_table

KS = ["0", "1", "3"]


def no_engine(spec):
    raise AssertionError("the engine must not be started")


def test_every_cell_has_every_query_in_order(tmp_path):
    cells = run(tmp_path, KS, Factory())
    assert len(cells) == 6
    for path in cells:
        table = read_arrow(path)
        assert table.schema.remove_metadata() == COMPLETIONS_SCHEMA
        assert table.column("query_id").to_pylist() == ["q0", "q1", "q2", "q3"]
    prompts = read_table(tmp_path / "prompts" / TASKS[0] / "bm25.parquet")
    prompts = prompts[prompts.k == "3"].reset_index(drop=True)
    answers = read_table(tmp_path / "completions/fp32" / TASKS[0] / "bm25" / "k3.parquet")
    assert list(answers.prompt_hash) == list(prompts.prompt_hash)
    assert list(answers.text) == [f"answer {sum(ids)}" for ids in prompts.token_ids]
    assert list(answers.prompt_tokens) == list(prompts.n_tokens)
    assert list(answers.logprobs[0]) == [-0.5, -0.25]


def test_a_finished_run_starts_no_engine_and_writes_the_same_bytes(tmp_path):
    cells = run(tmp_path, KS, Factory())
    first = [path.read_bytes() for path in cells]
    for path in cells:
        path.unlink()
    run(tmp_path, KS, no_engine)
    assert [path.read_bytes() for path in cells] == first


def test_another_k_generates_only_its_prompts(tmp_path):
    run(tmp_path, KS, Factory())
    factory = Factory()
    run(tmp_path, [*KS, "2"], factory)
    new = {
        hash_
        for task in TASKS
        for hash_ in read_table(
            tmp_path / "completions/fp32" / task / "bm25/k2.parquet"
        ).prompt_hash
    }
    assert len(factory.asked) == len(new) == 8
    run(tmp_path, ["0", "2"], no_engine)


def test_another_template_of_one_task_regenerates_that_task(tmp_path):
    run(tmp_path, KS, Factory())
    factory = Factory()
    run(tmp_path, KS, factory, template={"LaMP-5U": "b"})
    assert len(factory.asked) == 12


def test_another_checkpoint_or_setting_regenerates_all(tmp_path):
    checkpoint = fake_checkpoint(tmp_path / "checkpoint")
    run(tmp_path, KS, Factory(), make_job(checkpoint))
    for other in (
        make_job(fake_checkpoint(tmp_path / "other", b"other weights")),
        make_job(checkpoint, dtype="bfloat16"),
        make_job(checkpoint, settings=settings(engine="transformers", max_new_tokens=8)),
        make_job(
            checkpoint, settings=settings(engine="transformers", transformers={"batch_size": 2})
        ),
    ):
        factory = Factory()
        run(tmp_path, KS, factory, other)
        assert len(factory.asked) == 24


def test_settings_of_memory_alone_regenerate_nothing(tmp_path):
    checkpoint = fake_checkpoint(tmp_path / "checkpoint")
    run(tmp_path, KS, Factory(), make_job(checkpoint, settings=settings()))
    changed = settings(vllm={"gpu_memory_utilization": 0.5, "kv_cache_gib": 1})
    run(tmp_path, KS, no_engine, make_job(checkpoint, settings=changed))


def test_identical_prompts_are_answered_once(tmp_path):
    factory = Factory()
    # A profile of 8 documents: 8 and max_4K give the same prompts.
    cells = run(tmp_path, ["8", "max_4K"], factory)
    assert len(factory.asked) == len({request.key for request in factory.asked}) == 8
    assert read_arrow(cells[0]).equals(read_arrow(cells[1]))


def test_an_engine_that_dies_loses_nothing_that_was_finished(tmp_path):
    factory = Factory(fail_after=7)
    with pytest.raises(RuntimeError, match="the engine died"):
        run(tmp_path, KS, factory)
    assert factory.engines[0].closed
    again = Factory()
    run(tmp_path, KS, again)
    assert len(again.asked) == 24 - 7
    completions, sessions, _ = read_journal(tmp_path / "journals/fp32.jsonl")
    lines = (tmp_path / "journals/fp32.jsonl").read_text().splitlines()
    assert len(completions) == 24
    assert len([line for line in lines if "prompt_tokens" in line and '"key"' in line]) == 24
    assert [session["prompts"] for session in sessions] == [7, 17]


def test_an_engine_that_leaves_prompts_unanswered_is_an_error(tmp_path):
    class Lazy(Factory):
        def __call__(self, spec):
            engine = super().__call__(spec)
            whole = engine.generate
            engine.generate = lambda requests: list(whole(requests))[:-2]
            return engine

    with pytest.raises(UserError, match="left 2 prompts unfinished"):
        run(tmp_path, KS, Lazy())


def test_the_noise_floor_feeds_the_same_prompts_in_another_order(tmp_path):
    job = make_job(fake_checkpoint(tmp_path / "checkpoint"))
    first, second, third = Factory(), Factory(), Factory()
    run(tmp_path, KS, first, job)
    noise = replace(job, precision="noise-floor", shuffle_seed=0)
    cells = run(tmp_path, KS, second, noise)
    assert {r.key for r in first.asked} == {r.key for r in second.asked}
    assert [r.key for r in first.asked] != [r.key for r in second.asked]
    assert json.loads(read_metadata(cells[0])["provenance"])["order"] == "shuffled"
    run(tmp_path / "again", KS, third, noise)
    assert [r.key for r in second.asked] == [r.key for r in third.asked]
    assert second.engines[0].spec.precision == "fp32"


def test_two_precisions_see_the_same_prompts_and_settings(tmp_path):
    original = fake_checkpoint(tmp_path / "checkpoint")
    jobs = [
        make_job(original),
        make_job(
            fake_checkpoint(tmp_path / "int4", b"fewer bits"),
            original=original,
            precision="int4",
            dtype="auto",
        ),
    ]
    factories = [Factory(), Factory()]
    for job, factory in zip(jobs, factories, strict=True):
        run(tmp_path, KS, factory, job)
    asked = [[request.token_ids for request in factory.asked] for factory in factories]
    assert asked[0] == asked[1]
    specs = [replace(f.engines[0].spec, checkpoint=None, precision="", dtype="") for f in factories]
    assert specs[0] == specs[1]
    costs = [json.loads((tmp_path / f"costs/{job.precision}.json").read_text()) for job in jobs]
    assert costs[0]["prompts_hash"] == costs[1]["prompts_hash"]
    assert costs[0]["settings_hash"] == costs[1]["settings_hash"]
    cells = [cell_files(tmp_path / "completions" / job.precision, KS) for job in jobs]
    for one, other in zip(*cells, strict=True):
        assert read_table(one).prompt_hash.equals(read_table(other).prompt_hash)


def test_only_the_precision_itself_may_differ_between_precisions(tmp_path):
    checkpoint = fake_checkpoint(tmp_path / "checkpoint")
    longer = settings(engine="transformers", max_new_tokens=65)
    first, changed, other = (
        comparable_settings(job_identity(make_spec(checkpoint, **changes)))
        for changes in ({}, {"dtype": "bfloat16", "kv_cache_dtype": "fp8"}, {"settings": longer})
    )
    assert first == changed
    assert first != other


def test_provenance_and_costs(tmp_path):
    cells = run(tmp_path, KS, Factory())
    provenance = json.loads(read_metadata(cells[0])["provenance"])
    assert provenance["identity"]["sampling"] == {
        "max_new_tokens": 64,
        "stop_token_ids": [END],
    }
    assert provenance["checkpoint_source"] == {"kind": "folder"}
    assert provenance["engine_reports"] == [{"engine": "fake"}]
    (environment,) = provenance["environments"]
    assert {"device", "driver", "packages", "git_commit", "python"} == set(environment)
    costs = json.loads((tmp_path / "costs/fp32.json").read_text())
    assert costs["prompt_tokens"] == sum(
        int(n) for path in cells for n in read_table(path).prompt_tokens
    )
    assert (costs["cached_tokens"], costs["output_tokens"]) == (24 * 3, 24 * 2)
    assert costs["load_s"] > 0
    assert costs["peak_memory_gib"] > 0
    assert costs["prompt_tokens_per_s"] > costs["output_tokens_per_s"] > 0


def test_nothing_to_generate_imports_no_engine(tmp_path, root):
    run(tmp_path, KS, Factory())
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from generation_samples import run\n"
        f"run(Path({str(tmp_path)!r}), {KS!r})\n"
        "print(sorted({'torch', 'vllm', 'transformers', 'httpx'} & set(sys.modules)))\n"
    )
    paths = f"{root / 'workflow' / 'scripts'}{os.pathsep}{root / 'tests'}"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.strip() == "[]", result.stderr


def test_a_checkpoint_without_an_ending_token_is_refused(tmp_path):
    folder = fake_checkpoint(tmp_path / "checkpoint")
    (folder / "config.json").write_text("{}")
    with pytest.raises(UserError, match="eos_token_id"):
        run(tmp_path, KS, Factory(), make_job(folder))


def test_a_missing_checkpoint_is_one_clear_error(tmp_path):
    original = fake_checkpoint(tmp_path / "checkpoint")
    with pytest.raises(UserError, match="no such folder"):
        run(tmp_path, KS, Factory(), make_job(tmp_path / "nowhere", original=original))


def test_a_checkpoint_of_pickles_is_one_clear_error(tmp_path):
    folder = fake_checkpoint(tmp_path / "checkpoint")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"no \.safetensors file"):
        run(tmp_path, KS, Factory(), make_job(folder))


def test_a_prompt_beyond_the_model_is_refused(tmp_path):
    folder = fake_checkpoint(tmp_path / "checkpoint")
    content = {"eos_token_id": END, "max_position_embeddings": 100}
    (folder / "config.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="more than the 100 of tiny"):
        run(tmp_path, KS, Factory(), make_job(folder))
