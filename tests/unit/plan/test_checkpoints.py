"""Which checkpoint a job loads, and what was done to it."""

import re

import pytest

from quantrag.names import NOISE_FLOOR
from quantrag.plan.checkpoints import CheckpointPlan
from shipped_experiments import experiment

MODEL = "zephyr-7b-beta"


@pytest.fixture
def paper():
    return CheckpointPlan(experiment("config"))


@pytest.mark.parametrize(
    ("precision", "folder"),
    [
        ("fp16", "<resources>/checkpoints/zephyr-7b-beta/original"),
        (NOISE_FLOOR, "<resources>/checkpoints/zephyr-7b-beta/original"),
        ("int4-awq", "<resources>/checkpoints/zephyr-7b-beta/int4-awq"),
        ("int4-gptq", "<results>/checkpoints/zephyr-7b-beta/int4-gptq"),
    ],
)
def test_the_folder_of_a_checkpoint(paper, precision, folder):
    assert paper.folder(MODEL, precision) == folder


def test_the_noise_floor_is_the_baseline_again(paper):
    assert paper.served(NOISE_FLOOR) is paper.precisions["fp16"]
    assert paper.origin(MODEL, NOISE_FLOOR) == paper.origin(MODEL, "fp16")
    assert paper.formats(NOISE_FLOOR)["dtype"] == "float16"


def test_where_weights_come_from(paper):
    assert paper.source(MODEL)["repo"] == "HuggingFaceH4/zephyr-7b-beta"
    assert paper.source(MODEL, "int4-awq")["repo"] == "TheBloke/zephyr-7B-beta-AWQ"
    assert paper.origin(MODEL, "int4-awq") == paper.source(MODEL, "int4-awq")
    made = paper.origin(MODEL, "int4-gptq")
    assert made["repo"] == "HuggingFaceH4/zephyr-7b-beta"
    assert (made["precision"]["method"], made["precision"]["bits"]) == ("gptq", 4)


def test_rules_take_the_precisions_that_are_theirs(paper):
    assert re.fullmatch(paper.made_by("gptqmodel"), "int4-gptq")
    assert not re.fullmatch(paper.made_by("auto-gptq"), "int4-gptq")
    assert re.fullmatch(paper.published, "int4-awq")
    assert re.fullmatch(paper.calibrated, "int4-gptq")
    assert not re.fullmatch(paper.calibrated, "fp16")
    assert re.fullmatch(paper.models_from("huggingface", "folder"), MODEL)
    assert not re.fullmatch(paper.models_from("gguf-package"), MODEL)
    assert len(paper.pairs) == 18


@pytest.mark.parametrize(
    ("calibration", "tasks", "file"),
    [
        ({}, ["LaMP-3U", "LaMP-5U"], []),
        ({"tasks": ["LaMP-5U"]}, ["LaMP-5U"], []),
        # In the order of the config, whatever the order here.
        ({"tasks": ["LaMP-5U", "LaMP-3U"]}, ["LaMP-3U", "LaMP-5U"], []),
        ({"source": "file", "path": "texts.txt"}, [], ["texts.txt"]),
        ({"source": "dataset", "path": "wikitext", "revision": "main"}, [], []),
    ],
)
def test_what_a_precision_is_calibrated_on(calibration, tasks, file):
    precisions = {"a": {"method": "gptq", "calibration": calibration}}
    found = CheckpointPlan(experiment(precisions=precisions, baseline="a"))
    assert found.calibration_tasks("a") == tasks
    assert found.calibration_file("a") == file
    assert found.train_tables("a", "queries") == [
        f"<results>/tasks/{task}/train/queries.parquet" for task in tasks
    ]


def test_calibration_on_corpora_reads_their_documents():
    lamp = {"lamp": 3}
    squad = {"squad": "a.json"}
    questions = {"kind": "questions", "corpus": squad, "questions": squad, "answer": "short"}
    tasks = {"one": questions, "lamp": lamp, "two": questions}
    for named, expected in ((None, ["one", "two"]), (["two"], ["two"])):
        calibration = {"source": "corpus", "tasks": named}
        precisions = {"a": {"method": "gptq", "calibration": calibration}}
        found = CheckpointPlan(experiment(tasks=tasks, precisions=precisions, baseline="a"))
        files = [f"<results>/tasks/{task}/documents.parquet" for task in expected]
        assert found.calibration_corpora("a") == files
        assert found.calibration_tasks("a") == found.calibration_file("a") == []


def test_changes_of_local_files_are_noticed(tmp_path):
    for name in ("model.safetensors", "config.json", "notes.txt"):
        (tmp_path / name).touch()
    source = {"kind": "folder", "folder": str(tmp_path)}
    models = {"m": {"source": source, "context": 2048, "chat_template": "none"}}
    found = CheckpointPlan(experiment(models=models))
    assert found.local_files("m") == [
        str(tmp_path / name) for name in ("config.json", "model.safetensors")
    ]
    assert found.checks_of_original("m") == {"chat_template": False, "quantized": False}


def test_files_elsewhere_are_no_input(paper):
    assert paper.local_files(MODEL) == []
    assert paper.local_files(MODEL, "int4-awq") == []
    assert paper.checks_of_original(MODEL) == {"chat_template": True, "quantized": False}


def test_hardware_follows_from_engine_and_device():
    precisions = {"fp8": {"method": "fp8"}}
    on_gpu = CheckpointPlan(
        experiment(precisions=precisions, baseline="fp8", generation={"device": "cuda"})
    )
    assert on_gpu.hardware_needs("fp8")["capability"] == (8, 9)
    on_cpu = CheckpointPlan(experiment(precisions=precisions, baseline="fp8"))
    assert on_cpu.hardware_needs("fp8")["capability"] is None
