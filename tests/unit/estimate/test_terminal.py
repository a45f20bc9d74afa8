"""The estimate as it is printed: its rows, what it leaves out, and what it assumes."""

import pyarrow as pa
import pytest

from generation_samples import tiny_checkpoint
from quantrag.errors import UserError
from quantrag.estimate.terminal import estimate
from quantrag.tables import write_table
from shipped_experiments import experiment


def configuration(name="config", **changes):
    return experiment(name, **changes).model_dump()


def test_the_papers_grid_from_nothing(facts, tmp_path):
    text = estimate(configuration(), facts, tmp_path / "results", tmp_path)
    lines = text.splitlines()
    rows = [line for line in lines if line.startswith("zephyr-7b-beta")]
    assert [line.split()[1] for line in rows] == ["(original)", "fp16", "int4-awq", "int4-gptq"]
    assert "14.5 GB" in rows[0]
    assert any(line.startswith("total") for line in lines)
    assert "one A100-80GB" in text
    assert "Measured on an H200 on 2026-11-26" in text
    assert "20 log-probabilities of every token (18% of the time" in " ".join(text.split())
    assert "Assumed (config/estimate.yaml)" in text
    assert "LaMP-5U: 2500 queries" in text
    assert max(map(len, lines)) < 130


def test_sizes_of_questions_follow_from_their_entry(facts, tmp_path):
    squad = {"squad": "squad.json"}
    task = {"kind": "questions", "corpus": squad, "questions": squad, "answer": "label"}
    task |= {
        "labels": ["yes", "no"],
        "max_queries": 40,
        "held_out": 0.1,
        "passages": {"tokens": 90},
    }
    text = estimate(configuration(tasks={"mine": task}), facts, tmp_path / "results", tmp_path)
    assert "- mine: 40 queries, 100 documents of 90 tokens a ranking" in text


def test_every_model_and_card_of_the_grids_is_known(facts, tmp_path):
    for name in ("config", "2026"):
        for gpu in facts["gpus"]:
            config = configuration(name, estimate={"gpu": gpu})
            assert "total" in estimate(config, facts, tmp_path / "results", tmp_path)


def test_what_a_card_cannot_run_has_no_hours(facts, tmp_path):
    texts = {
        gpu: estimate(configuration("2026", estimate={"gpu": gpu}), facts, tmp_path, tmp_path)
        for gpu in ("A100-80GB", "H100-SXM")
    }
    for precision in ("fp8", "kv-fp8"):
        assert f"Not on this card: {precision}, compute capability 8.9" in texts["A100-80GB"]
        assert f" {precision} " not in texts["A100-80GB"].partition("total")[0]
        assert f" {precision} " in texts["H100-SXM"].partition("total")[0]
    assert "Not on this card" not in texts["H100-SXM"]


def test_an_unknown_card_is_said_with_the_known_ones(facts, tmp_path):
    config = configuration(estimate={"gpu": "A100-80"})
    with pytest.raises(
        UserError, match=r"estimate\.gpu: 'A100-80' is unknown\. Allowed: A100-80GB"
    ):
        estimate(config, facts, tmp_path, tmp_path)


def test_an_unknown_model_is_said(facts, tmp_path):
    del facts["models"]["HuggingFaceH4/zephyr-7b-beta"]
    with pytest.raises(UserError, match="nothing is known about HuggingFaceH4/zephyr-7b-beta"):
        estimate(configuration(), facts, tmp_path, tmp_path)


def test_prompts_and_checkpoints_that_are_there_count(facts, tmp_path):
    folder = tiny_checkpoint(tmp_path / "tiny")
    config = configuration(
        "demo",
        models={"m": {"source": {"kind": "folder", "folder": str(folder)}, "context": 512}},
        noise_floor=False,
    )
    for task in config["tasks"]:
        for retriever in ("none", *config["retrievers"]):
            ks = ["0"] if retriever == "none" else ["1", "3"]
            table = {"query_id": ["q"] * len(ks), "k": ks, "n_tokens": [100_000] * len(ks)}
            path = tmp_path / "results" / "prompts" / "m" / task / f"{retriever}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_table(pa.table(table), path)
    text = estimate(config, facts, tmp_path / "results", tmp_path)
    # 2 tasks x (none + 2 retrievers x 2 k)
    [line] = [line for line in text.splitlines() if " bf16 " in line]
    assert line.split()[2:4] == ["10", "1"]
    assert "prompts as they were built, not assumed: m" in text
    assert "queries," not in text
