"""From folders of logs to a configuration."""

import json
import shutil
from pathlib import Path

import pytest

from quantrag.config.loading import load_config
from quantrag.errors import UserError
from quantrag.recorded.compare_runs import configuration

FILES = Path(__file__).parent / "files"
FLOAT, BFLOAT = FILES / "lm-eval" / "float32", FILES / "lm-eval" / "bfloat16"


def test_runs_of_lm_evaluation_harness():
    config, notes = configuration("e", [FLOAT, BFLOAT], again=FLOAT)
    experiment = load_config(config)
    assert notes == []
    assert experiment.names("precision") == ["float32", "bfloat16", "noise-floor"]
    assert experiment.names("task") == ["kinds", "sums"]
    assert experiment.names("model") == ["smollm2-135m-instruct"]
    assert all(Path(file).is_file() for _, files in experiment.systems() for file in files)


def test_logs_of_inspect_ai_and_folders_of_one_name(tmp_path):
    runs = [tmp_path / "bf16" / "logs {1}", tmp_path / "int4" / "logs {1}"]
    for run in runs:
        run.mkdir(parents=True)
        shutil.copy(FILES / "inspect" / "kinds.eval", run)
        (run / "notes.json").write_text("{}", encoding="utf-8")
    experiment = load_config(configuration("e", runs)[0])
    assert experiment.recorded.format == "inspect"
    assert experiment.names("precision") == ["bf16-logs-1", "int4-logs-1"]
    assert experiment.names("model") == ["smollm2-135m"]
    assert all(Path(file).is_file() for _, files in experiment.systems() for file in files)


def test_a_task_of_one_run_is_left_out_with_a_note(tmp_path):
    run = shutil.copytree(BFLOAT, tmp_path / "int4")
    next(run.glob("samples_sums_*")).unlink()
    config, notes = configuration("e", [FLOAT, run])
    assert list(config["tasks"]) == ["kinds"]
    assert notes == ["left out, since not every run has it: sums"]


def test_what_cannot_be_compared_is_refused(tmp_path):
    empty, other = tmp_path / "empty", tmp_path / "other"
    empty.mkdir()
    other.mkdir()
    header = {"eval": {"task": "t", "model": "m"}, "samples": []}
    (other / "log.json").write_text(json.dumps(header), encoding="utf-8")
    for runs, message in (
        ([FLOAT], "two folders of logs are needed"),
        ([FLOAT, empty], "empty: no logs. Known: samples_"),
        ([FLOAT, tmp_path / "none"], "none: no such folder"),
        ([FLOAT, other], "different formats: inspect and lm-eval"),
        ([FLOAT, FLOAT], "a run stands twice"),
    ):
        with pytest.raises(UserError, match=message):
            configuration("e", runs)
