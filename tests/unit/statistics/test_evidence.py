"""Comparisons split by the place of the evidence."""

import numpy as np
import pandas as pd
import pytest

from quantrag.scoring.evidence import INTERACTION
from quantrag.statistics.comparisons import COMPARISON_COLUMNS, compare, pool
from quantrag.statistics.evidence import EVIDENCE_COLUMNS, compare_by_evidence
from quantrag.statistics.trends import ALL
from synthetic_scores import cell, grid_of

SETTINGS = {
    "baseline": "fp16", "policy": "worst_case", "confidence": 0.95, "margin": 0.02, "power": 0.8,
}  # fmt: skip
RANDOM = {"permutations": 200, "seed": 0}
NONE = {"k": "0", "retriever": "none"}


def split(*cells):
    return compare_by_evidence(grid_of(*cells, lamp=5), **SETTINGS, **RANDOM)


def pair(evidence, difference, **names):
    """A cell at two precisions: the second differs by `difference`."""
    base = np.linspace(0.3, 0.7, len(evidence))
    return [
        cell(precision, rougeL=base + shift, evidence=evidence, **names)
        for precision, shift in (("fp16", 0), ("int4", np.asarray(difference)))
    ]


def one(table, evidence, k=ALL):
    [row] = table[(table["evidence"] == evidence) & (table["k"] == k)].to_dict("records")
    return row


@pytest.mark.parametrize("column", ["rougeL", "nll"])
def test_each_part_is_the_comparison_of_its_answers(column):
    rng = np.random.default_rng(0)
    evidence = rng.choice(["", "absent", "first", "middle", "last"], 60)
    base, other = rng.random((2, 60)).round(1)
    valid = rng.random(60) < 0.9
    facts = {"evidence": evidence, "cluster_id": [f"c{i % 40}" for i in range(60)]}
    cells = [
        cell("fp16", **{column: base}, **facts),
        cell("int4", **{column: other}, valid=valid, **facts),
        cell("noise-floor", **{column: np.roll(base, 1)}, **facts),
    ]
    table = split(*cells)
    assert table.columns.tolist() == EVIDENCE_COLUMNS
    parts = {"present": evidence != "absent", "absent": evidence == "absent"}
    parts["present"] &= evidence != ""
    parts |= {third: evidence == third for third in ("first", "middle", "last")}
    assert set(table["evidence"]) == {*parts, INTERACTION}
    for name, rows in parts.items():
        alone = grid_of(*(frame[rows] for frame in cells), lamp=5)
        expected = compare(alone, **SETTINGS, **RANDOM)
        own = table[(table["evidence"] == name) & (table["k"] == "1")]
        columns = [column for column in COMPARISON_COLUMNS if column != "p_swap"]  # random
        pd.testing.assert_frame_equal(
            own[columns].reset_index(drop=True), expected[columns], check_dtype=False
        )
        together = table[(table["evidence"] == name) & (table["k"] == ALL)]
        expected = pool(alone, **SETTINGS)
        columns = ["precision", "difference", "ci_low", "ci_high", "p_holm", "n", "n_cells"]
        pd.testing.assert_frame_equal(
            together[columns].reset_index(drop=True), expected[columns], check_dtype=False
        )


def test_a_cell_without_retrieval_is_without_evidence():
    half = ["first"] * 30 + ["absent"] * 30
    with_documents = pair(half, [-0.1] * 30 + [0.02] * 30)
    table = split(*with_documents, *pair(["absent"] * 60, 60 * [0.05], **NONE))
    assert table[table["k"] == "0"]["evidence"].tolist() == ["absent"]
    assert one(table, "present")["difference"] == pytest.approx(-0.1)
    # 30 answers at k = 1 and 60 at k = 0.
    assert one(table, "absent")["difference"] == pytest.approx((30 * 0.02 + 60 * 0.05) / 90)
    assert (one(table, "present")["n_cells"], one(table, "absent")["n_cells"]) == (1, 2)
    assert one(table, INTERACTION)["difference"] == pytest.approx(-0.1 - 0.04)
    assert one(table, INTERACTION, "1")["difference"] == pytest.approx(-0.12)
    assert one(table, INTERACTION, "1")["verdict"] == ""


def test_what_is_not_known_has_no_rows():
    assert split(*pair([""] * 9, np.zeros(9))).empty
    assert split(*pair([""] * 9, np.zeros(9))).columns.tolist() == EVIDENCE_COLUMNS
    table = split(*pair(["first"] * 9, np.zeros(9)))
    assert table["evidence"].unique().tolist() == ["present", "first"]
    # A single question with evidence: no interval of its own, and none of an interaction.
    table = split(*pair(["first"] + ["absent"] * 9, np.full(10, 0.1)))
    assert INTERACTION not in set(table["evidence"])
    assert np.isnan(one(table, "present")["ci_low"])


def test_an_interaction_is_no_larger_than_the_scale_allows():
    # One cluster has almost all of both parts.
    names = ["a"] * 10 + ["b"]
    cells = pair(["first"] * 11 + ["absent"] * 11, np.zeros(22))
    table = split(*(frame.assign(cluster_id=names * 2) for frame in cells))
    row = one(table, INTERACTION)
    assert (row["ci_low"], row["ci_high"]) == (-2, 2)


def test_a_cost_of_reading_only_is_found():
    rng = np.random.default_rng(1)
    evidence = rng.choice(["absent", "first", "last"], 300)
    lost = np.where((evidence != "absent") & (rng.random(300) < 0.4), -0.3, 0.0)
    table = split(*pair(evidence, lost))
    assert one(table, "present")["verdict"] == "worse"
    assert one(table, "absent")["verdict"] == "inconclusive"
    row = one(table, INTERACTION)
    assert row["ci_high"] < 0
    assert row["p_value"] == one(table, INTERACTION, "1")["p_value"] < 0.001
    assert row["n"] == row["n_clusters"] == 300
    assert row["n_differing"] == np.sum(lost < 0)
