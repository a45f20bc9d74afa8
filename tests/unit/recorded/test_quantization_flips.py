"""Made-up files in the form of quantization-flips, through to changed answers and accuracy."""

import gzip
import json

import numpy as np
import pytest

from quantrag.errors import UserError
from quantrag.recorded import quantization_flips
from quantrag.recorded.scores import System, score_recorded
from quantrag.statistics.comparisons import compare
from quantrag.statistics.score_arrays import score_arrays_of
from quantrag.tasks.registry import load

LETTERS = list("ABCD")
N = 80


@pytest.fixture
def folder(tmp_path):
    """A benchmark `trees` of 80 made-up items, and two models' answers at two precisions."""
    rng = np.random.default_rng(3)
    golds = rng.choice(LETTERS, N)
    items = [
        {"id": f"tree-{n}", "question": f"Which tree is number {n}?", "answer": str(gold),
         "options": {letter: f"tree {letter} {n}" for letter in LETTERS}}
        for n, gold in enumerate(golds)
    ]  # fmt: skip
    with gzip.open(tmp_path / quantization_flips.ITEMS, "wt", encoding="utf-8") as file:
        json.dump({"trees": items, "birds": []}, file)
    for model in ("small", "large"):
        answers = np.where(rng.random(N) < 0.7, golds, rng.choice(LETTERS, N))
        for precision, flipped in (("fp16", 0.0), ("int4", 0.2)):
            own = np.where(rng.random(N) < flipped, rng.choice(LETTERS, N), answers)
            content = {"model": model, "precision": precision, "benchmark": "trees"}
            content |= {"preds": own.tolist(), "confs": [1.0] * N}
            path = tmp_path / f"{model}__{precision}__trees.json"
            path.write_text(json.dumps(content), encoding="utf-8")
    return tmp_path


def test_accuracy_and_flips_equal_an_independent_computation(folder):
    task = load("trees", {"kind": "recorded", "answer": "label", "labels": LETTERS})
    runs = [(m, p) for m in ("small", "large") for p in ("fp16", "int4")]
    systems = {
        System(m, p, "none", "0"): [quantization_flips.read(folder / f"{m}__{p}__trees.json", {})]
        for m, p in runs
    }
    tables = score_recorded(task, systems, rule="lenient", baseline="fp16")
    rows = compare(
        score_arrays_of([tables.scores], [task])[0],
        baseline="fp16", policy="worst_case", confidence=0.95, margin=0.02, power=0.8,
        permutations=1000, seed=0,
    )  # fmt: skip
    rows = rows[rows["metric"] == "accuracy"].set_index("model")

    def raw(model, precision):
        path = folder / f"{model}__{precision}__trees.json"
        return np.array(json.loads(path.read_text(encoding="utf-8"))["preds"])

    with gzip.open(folder / quantization_flips.ITEMS, "rt", encoding="utf-8") as file:
        golds = np.array([item["answer"] for item in json.load(file)["trees"]])
    for model in ("small", "large"):
        before, after = raw(model, "fp16"), raw(model, "int4")
        row = rows.loc[model]
        assert row["baseline_value"] == pytest.approx((before == golds).mean())
        assert row["precision_value"] == pytest.approx((after == golds).mean())
        assert row["flip_rate"] == pytest.approx((before != after).mean())
        assert row["right_to_wrong"] == pytest.approx(((before == golds) & (after != golds)).mean())
        assert row["wrong_to_right"] == pytest.approx(((before != golds) & (after == golds)).mean())
        assert row["n"] == N


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preds": ["A"]}, "1 answers, but .* has 80 items of trees"),
        ({"benchmark": "fish"}, "unknown benchmark 'fish'. .* has: trees, birds"),
        ({"preds": None}, "no 'preds'; it has model, precision, benchmark"),
    ],
)
def test_what_does_not_fit_its_items_is_refused(folder, changes, message):
    path = folder / "small__fp16__trees.json"
    content = json.loads(path.read_text(encoding="utf-8")) | changes
    content = {key: value for key, value in content.items() if value is not None}
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UserError, match=message):
        quantization_flips.read(path, {})


def test_a_missing_file_of_items_is_named(folder):
    with pytest.raises(UserError, match=r"elsewhere\.json: No such file"):
        quantization_flips.read(
            folder / "small__fp16__trees.json", {"items": folder / "elsewhere.json"}
        )
