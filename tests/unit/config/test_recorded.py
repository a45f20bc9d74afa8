"""Configurations of recorded answers."""

import copy

import pytest
import yaml

from quantrag.config.loading import load_config
from quantrag.config.recorded import RecordedExperiment
from quantrag.errors import UserError

CONFIG = yaml.safe_load("""
experiment: e
baseline: fp16
tasks:
  arc: {kind: recorded, answer: label, labels: [A, B]}
recorded:
  format: table
  results:
    - {model: [m, n], precision: [fp16, int4], task: arc, files: "{model}-{precision}.csv"}
    - {model: m, precision: noise-floor, task: arc, files: again.csv}
""")


def loaded(change=None):
    raw = copy.deepcopy(CONFIG)
    if change is not None:
        change(raw)
    return load_config(raw)


def result(raw):
    return raw["recorded"]["results"][0]


def test_lists_are_multiplied():
    experiment = loaded()
    assert isinstance(experiment, RecordedExperiment)
    assert [files for _, files in experiment.systems()] == [
        ["m-fp16.csv"], ["m-int4.csv"], ["n-fp16.csv"], ["n-int4.csv"], ["again.csv"],
    ]  # fmt: skip
    assert experiment.names("precision") == ["fp16", "int4", "noise-floor"]
    assert experiment.systems()[0][0] == {
        "model": "m", "precision": "fp16", "task": "arc", "retriever": "none", "k": "0",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(baseline="fp8"), "baseline: no results at the precision 'fp8'"),
        (lambda c: c.update(models={}), "models: unknown key"),
        (lambda c: result(c).update(files="{modle}.csv"), r"names \{modle\}. Allowed: \{model\}"),
        (lambda c: result(c).update(files="{"), r"results.0.files: '\{': "),
        (lambda c: result(c).update(files="{model}.csv"), r"values of precision: \{precision\} is"),
        (lambda c: result(c).update(task="arcs"), r"unknown task 'arcs' \(did you mean 'arc'\?\)"),
        (lambda c: result(c).update(k=3), "k = 3 with the retriever 'none'. Allowed: k = 0"),
        (lambda c: c["recorded"]["results"].append(result(c)), "stands already in results.0"),
        (lambda c: c["tasks"]["arc"].update(labels=[]), "at least two labels are needed"),
        (lambda c: c["tasks"]["arc"].update(answer="text"), "not allowed beside answer: text"),
        (lambda c: c["tasks"]["arc"].pop("kind"), "tasks.arc: the key 'kind' is missing"),
        (lambda c: c["tasks"].update(b={"kind": "recorded"}), "tasks.b: there are no results"),
    ],
)
def test_mistakes_are_one_line(change, message):
    with pytest.raises(UserError, match=message) as caught:
        loaded(change)
    assert "\n" not in str(caught.value)
