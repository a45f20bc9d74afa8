"""What is made from what: the grid's files, and what its jobs need."""

import re
import subprocess
import sys

import pytest
import yaml

from handbook import write_handbook
from quantrag.errors import UserError
from quantrag.names import NOISE_FLOOR
from quantrag.plan.plan import Plan, growing
from shipped_experiments import SCRIPTS, experiment

MODEL = "smollm2-135m-instruct"


def plan(name="demo", **changes):
    return Plan(experiment(name, **changes), SCRIPTS)


def test_importing_it_imports_nothing_heavy():
    """Every call of Snakemake does it, and it must do in the launcher's environment."""
    program = (
        "import sys; from quantrag.plan.plan import Plan; import quantrag.plan.checks; "
        "heavy = {'torch', 'pandas', 'pyarrow', 'numpy', 'transformers', 'vllm', 'scipy'}; "
        "sys.exit(', '.join(heavy & sys.modules.keys()) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"imports {done.stderr}"


def test_the_cells_have_k_0_once():
    demo = plan()
    assert demo.cells == [
        f"{task}/{cell}"
        for task in ("LaMP-3U", "LaMP-5U")
        for cell in [
            "none/k0",
            *["bm25/k1", "bm25/k3", "bm25/kmax_1K"],
            *["minilm/k1", "minilm/k3", "minilm/kmax_1K"],
        ]
    ]
    assert demo.ks_of("none") == ["0"]
    assert demo.ks_of("bm25") == ["1", "3", "max_1K"]


def test_the_baselines_answers_are_scored_at_every_other_precision():
    demo = plan()
    files = demo.scored_answers(MODEL, "int4-gptq")
    assert files == [f"<results>/completions/{MODEL}/bf16/{cell}.parquet" for cell in demo.cells]
    assert demo.scored_answers(MODEL, "bf16") == []
    noisy = plan(noise_floor=True)
    assert noisy.scored_answers(MODEL, NOISE_FLOOR) == files
    for likelihood in ("gold", "none"):
        other = plan(generation={**demo.generation, "likelihood": likelihood})
        assert other.scored_answers(MODEL, "int4-gptq") == []


def test_the_files_of_the_grid():
    demo = plan()
    assert demo.queries == [
        f"<results>/tasks/{task}/queries.parquet" for task in ("LaMP-3U", "LaMP-5U")
    ]
    assert demo.runs()[:3] == [
        "<results>/runs/LaMP-3U/bm25.parquet",
        "<results>/runs/LaMP-3U/minilm.parquet",
        "<results>/runs/LaMP-5U/bm25.parquet",
    ]
    assert demo.runs("{task}.{retriever}")[0] == "LaMP-3U.bm25"
    assert demo.prompts(MODEL) == demo.prompts()
    assert f"<results>/prompts/{MODEL}/LaMP-5U/none.parquet" in demo.prompts()
    assert len(demo.prompts()) == 6
    assert demo.completions_of_job()[0] == (
        "<results>/completions/{model}/{precision}/LaMP-3U/none/k0.parquet"
    )
    assert len(demo.completions()) == 2 * len(demo.cells)
    assert demo.scores() == [
        f"<results>/scores/{MODEL}/{precision}.parquet" for precision in ("bf16", "int4-gptq")
    ]


def test_scores_need_the_prompts_of_a_corpus_only(tmp_path):
    assert plan().prompts_with_evidence(MODEL) == []
    entry = write_handbook(tmp_path) | {"held_out": 0.5}
    corpus = plan(tasks={"handbook": entry}, prompts={"style": "rag"})
    assert corpus.prompts_with_evidence(MODEL) == corpus.prompts(MODEL)
    assert "<results>/tables/evidence.csv" in corpus.products.tables
    assert "<results>/tables/evidence.csv" not in plan().products.tables


def test_without_k_0_there_are_no_prompts_without_documents():
    without = plan(k=[1])
    assert not [path for path in without.prompts() if "/none" in path]
    assert not [cell for cell in without.cells if "/none/" in cell]


def test_the_noise_floor_is_a_precision_but_has_no_costs_of_its_own():
    paper = plan("config")
    assert paper.precisions == ["fp16", "int4-awq", "int4-gptq", NOISE_FLOOR]
    assert "<results>/scores/zephyr-7b-beta/noise-floor.parquet" in paper.scores()
    assert "<results>/costs/zephyr-7b-beta/noise-floor.json" in paper.costs(noise_floor=True)
    assert not [path for path in paper.costs(noise_floor=False) if NOISE_FLOOR in path]
    assert NOISE_FLOOR not in plan("config", noise_floor=False).precisions


def test_wildcards_stand_for_the_configurations_names_only():
    constraints = plan().constraints
    for wildcard, names, other in (
        ("task", ["LaMP-3U", "LaMP-5U"], "LaMP-3"),
        ("retriever", ["bm25", "minilm", "none"], "bm2"),
        ("model", [MODEL], "smollm2-135m-instructX"),
        ("precision", ["bf16", "int4-gptq"], "noise-floor"),
    ):
        assert all(re.fullmatch(constraints[wildcard], name) for name in names)
        assert not re.fullmatch(constraints[wildcard], other)
    assert re.fullmatch(plan("config").constraints["precision"], NOISE_FLOOR)


@pytest.mark.parametrize(
    ("generation", "small", "job"),
    [
        ({"device": "cpu"}, 0, 0),
        ({}, 1, 1),
        ({"vllm": {"tensor_parallel_size": 4}}, 1, 4),
        ({"engine": "transformers", "vllm": {"tensor_parallel_size": 4}}, 1, 1),
        ({"engine": "openai"}, 1, 0),
    ],
)
def test_gpus_of_a_job(generation, small, job):
    found = plan(generation={"max_new_tokens": 32, **generation})
    assert (found.gpus_of_small_jobs, found.gpus_of_generation) == (small, job)
    assert found.on_cpu == (generation.get("device") == "cpu")


def test_settings_of_engines_that_are_not_used_change_nothing():
    one = plan(generation={"engine": "transformers"})
    other = plan(generation={"engine": "transformers", "vllm": {"block_size": 16}})
    assert one.generation == other.generation
    assert "vllm" not in one.generation
    assert one.generation["transformers"] == {"batch_size": 8, "attention": "sdpa"}
    assert one.engine_file == "quantrag/engines/transformers_engine.py"


def test_perplexity_is_not_measured_through_a_server():
    assert plan().perplexity_texts == 16
    assert plan(generation={"engine": "openai"}).perplexity_texts == 0


def test_the_code_of_a_script_covers_the_modules_that_it_names():
    demo = plan()
    alone = demo.code("generate.py")
    assert re.fullmatch("[0-9a-f]{16}", alone)
    assert alone == demo.code("generate.py")
    assert demo.code("generate.py", demo.engine_file) != alone


def test_a_style_without_templates_for_a_task_is_refused():
    tasks = {"LaMP-4U": {"lamp": 4}}
    with pytest.raises(UserError, match="style 'paper'"):
        plan(tasks=tasks, prompts={"style": "paper"})
    assert plan(tasks=tasks, prompts={"style": "lamp"}).tasks.wordings.keys() == {"LaMP-4U"}


def test_the_seed_is_the_business_of_a_random_order_alone():
    assert plan(seed=3).order_seed is None
    assert plan(seed=3, prompts={"order": "random"}).order_seed == 3


def test_a_second_attempt_gets_more():
    assert [growing(1000)(None, attempt) for attempt in (1, 2, 3)] == [1000, 2000, 3000]


def test_what_scripts_get_is_plain():
    """Snakemake compares parameters by their representation, and pickles them."""
    paper = plan("config")
    for value in (
        paper.generation,
        paper.cells,
        paper.tasks.definitions,
        paper.checkpoints.origin("zephyr-7b-beta", "int4-gptq"),
        paper.checkpoints.formats("int4-awq"),
        paper.checkpoints.hardware_needs("int4-gptq"),
        paper.retrieval.query_encoder("dpr"),
    ):
        yaml.safe_dump(value)
