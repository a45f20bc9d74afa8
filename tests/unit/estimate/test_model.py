"""The estimate of an experiment's cost follows from its stated figures."""

import pytest

from quantrag.errors import UserError
from quantrag.estimate.model import Work, estimate_row, typical_work
from shipped_experiments import experiment

ONE_SECOND = {
    # A card on which each part of a job takes round times.
    "gpus": {
        "card": {
            "memory_gib": 100,
            "tflops_16bit": 1,
            "tflops_8bit": 2,
            "bandwidth_gb_s": 10,
            "watts": 500,
        }
    },
    "rates": {
        "measured": {
            "on": "paper",
            "prefill_efficiency": 0.5,
            "dequantizing_efficiency": 0.25,
            "eight_bit_efficiency": 0.5,
        },
        "assumed": {
            "decode_efficiency": 0.5,
            "largest_batch": 10,
            "memory_share": 0.9,
            "engine_start_s": 100,
            "read_gb_per_s": 1,
            "quantize_minutes_per_billion": 6,
        },
    },
    "models": {
        "o/m": {"billions": 1.0, "layers": 1, "kv_heads": 1, "head_dim": 1, "embeddings": 0.0}
    },
}
WORK = Work(prompts=1000, prompt_tokens=9e6, computed_tokens=4.5e6, output_tokens=1000)


def configuration(**changes):
    return experiment("config", **changes).model_dump()


@pytest.fixture
def small():
    source = {"kind": "huggingface", "repo": "o/m", "revision": "main"}
    return configuration(
        models={"m": {"source": source, "context": 4096}},
        precisions={
            "fp16": {"method": "none", "dtype": "float16"},
            "int4": {"method": "gptq", "group_size": 128},
        },
        noise_floor=False,
    )


def row(config, precision, **options):
    card = ONE_SECOND["gpus"]["card"]
    return estimate_row(config, ONE_SECOND, "m", precision, WORK, card, **options)


def test_hours_are_reading_writing_and_starting(small):
    # 2e9 operations x 4.5e6 tokens at 0.5e12/s; 100 steps of 2 GB at 5 GB/s; 100 s and 2 GB at 1/s
    expected = 18_000 + 40 + 102
    result = row(small, "fp16")
    assert result.generate_h * 3600 == pytest.approx(expected, rel=1e-3)
    assert result.quantize_h == 0
    assert result.energy_kwh == pytest.approx(expected / 3600 * 0.5, rel=1e-3)
    assert result.disk_gb == 0


def test_unpacking_costs_arithmetic_and_fewer_bits_save_memory(small):
    result = row(small, "int4")
    weights = (4 + 20 / 128) / 8
    expected = 36_000 + 100 * weights / 5 + 100 + weights
    assert result.generate_h * 3600 == pytest.approx(expected, rel=1e-3)
    assert result.quantize_h == pytest.approx(0.1)
    assert result.disk_gb == pytest.approx(weights)
    assert result.download_gb == 0


def test_the_noise_floor_repeats_all_without_the_prefix_cache(small):
    result = row(small, "fp16", noise_floor=True)
    assert result.generate_h * 3600 == pytest.approx(18_000 + 36_000 + 2 * 142, rel=1e-3)
    assert result.work.prompts == 2000


def test_no_prefix_cache_computes_every_token(small):
    small["generation"]["vllm"]["prefix_caching"] = False
    assert row(small, "fp16").work.computed_tokens == WORK.prompt_tokens


def test_what_does_not_fit_is_refused(small):
    card = {**ONE_SECOND["gpus"]["card"], "memory_gib": 2}
    with pytest.raises(UserError, match=r"m at fp16 has about 2 GB .*estimate\.gpu"):
        estimate_row(small, ONE_SECOND, "m", "fp16", WORK, card)


def test_typical_prompts_by_hand():
    config = configuration(tasks={"T": {"lamp": 3, "max_queries": 10}}, k=[0, 1, "max_4K"])
    sizes = {
        "LaMP-3": {"queries": 99, "documents": 100, "document_tokens": 100, "query_tokens": 32}
    }
    sizes["LaMP-3"]["answer_tokens"] = 70
    work = typical_work(config, "llama-3-8b-instruct", sizes)
    # 4096 tokens, 64 of them for the answer and 32 for the query: 40 documents
    per_query = 32 + 3 * ((100 + 32) + (4000 + 32))
    assert work == Work(10 * 7, 10 * per_query, 10 * (32 + 3 * (4000 + 64)), 70 * 64)


@pytest.mark.parametrize(
    ("precision", "entry", "seconds"),
    [
        ("fp16", {"method": "none"}, 8.10),
        ("int4-gptq", {"method": "gptq"}, 8.93),
        ("fp8", {"method": "fp8"}, 7.40),
    ],
)
def test_the_measured_rates_give_the_measured_seconds(facts, precision, entry, seconds):
    """The H200's run of docs/benchmarks.md, from which they were reckoned."""
    config = configuration(precisions={precision: entry}, baseline=precision)
    work = Work(prompts=200, prompt_tokens=236_919, computed_tokens=180_058, output_tokens=12_800)
    facts["rates"]["assumed"] |= {"engine_start_s": 0, "read_gb_per_s": 1e9}
    card = facts["gpus"]["H200-SXM"]
    row = estimate_row(config, facts, "llama-2-7b-chat", precision, work, card)
    assert row.generate_h * 3600 == pytest.approx(seconds, rel=0.02)
