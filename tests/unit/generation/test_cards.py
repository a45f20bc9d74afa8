"""The smallest card for a job, of those that run its precision."""

import pytest

from quantrag.generation.cards import smallest_card, usable_memory

FACTS = {
    "rates": {"assumed": {"memory_share": 0.9}, "measured": {}},
    "gpus": {
        "large": {"capability": [9, 0], "memory_gib": 80},
        "old": {"capability": [8, 0], "memory_gib": 40},
        "new": {"capability": [8, 9], "memory_gib": 40},
        "small": {"capability": [8, 9], "memory_gib": 20},
    },
}


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ({"method": "none"}, ["small", "old", "new", "large"]),
        ({"method": "fp8"}, ["small", "new", "large"]),
        ({"method": "gptq", "bits": 3, "group_size": 128, "sym": True}, []),
    ],
)
def test_cards_that_run_a_precision_come_by_size(entry, names):
    defaults = {"dtype": "auto", "kv_cache_dtype": "auto"}
    usable = usable_memory("p", defaults | entry, "vllm", "cuda", FACTS)
    assert list(usable) == names
    assert usable.get("large", 72) == pytest.approx(72)


def test_a_rate_may_be_measured_as_well_as_assumed():
    facts = FACTS | {"rates": {"assumed": {}, "measured": {"memory_share": 0.5}}}
    entry = {"method": "none", "dtype": "auto", "kv_cache_dtype": "auto"}
    assert usable_memory("p", entry, "vllm", "cuda", facts)["large"] == pytest.approx(40)


def test_memory_that_a_cpu_took_says_nothing_of_a_card():
    entry = {"method": "none", "dtype": "auto", "kv_cache_dtype": "auto"}
    assert usable_memory("p", entry, "vllm", "cpu", FACTS) == {}


def test_a_job_needs_a_gib_beside_its_weights_and_cache():
    usable = {"small": 18.0, "large": 72.0}
    assert smallest_card(17.0, usable) == "small"
    assert smallest_card(17.1, usable) == "large"
    assert smallest_card(71.5, usable) is None
    assert smallest_card(None, usable) is None
