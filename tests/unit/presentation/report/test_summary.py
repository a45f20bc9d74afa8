"""The report's sentences say what the verdicts say, and no more."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import figure_tables
from quantrag.names import NO_RETRIEVER
from quantrag.presentation.criteria import Criteria
from quantrag.presentation.report.summary import as_text, summary_of
from quantrag.statistics.comparisons import POOLED_COLUMNS
from quantrag.statistics.evidence import EVIDENCE_COLUMNS
from quantrag.statistics.trends import ALL, TREND_COLUMNS

CRITERIA = Criteria(0.95, margin=0.02, power=0.8, clusters={"LaMP-3U": "users"})
NO_TRENDS = pd.DataFrame(columns=TREND_COLUMNS)
DIFFERENCES = {"equivalent": 0.001, "worse": 0.05, "better": -0.05, "inconclusive": 0.02}


def comparisons(verdicts, retrievers=("bm25",), metric="mae", **columns):
    """Rows of one model; `verdicts` by k for each retriever in turn, k = 0 first without one."""
    rows, ks = [], ["0", "1", "3", "max_4K", "5"]
    for number, verdict in enumerate(verdicts):
        k = ks[number % len(ks)]
        retriever = retrievers[number // len(ks)]
        difference = DIFFERENCES[verdict] * (1 if metric == "mae" else -1)
        rows.append(
            {
                "task": "LaMP-3U" if metric == "mae" else "LaMP-5U",
                "model": "zephyr",
                "retriever": NO_RETRIEVER if k == "0" else retriever,
                "k": k,
                "metric": metric,
                "baseline": "fp16",
                "precision": "int4-gptq",
                "verdict": verdict,
                "difference": difference,
                "ci_low": difference - 0.01,
                "ci_high": difference + 0.01,
                "p_holm": 0.0004 if verdict in ("worse", "better") else 0.4,
                "margin": 0.01,
                "flip_rate": 0.1 + 0.02 * number,
                "noise_flip_rate": 0.03,
                "baseline_value": 0.5,
                "min_detectable_holm": 0.03 + 0.01 * number,
                "unparseable_rate": 0.0,
                "baseline_unparseable_rate": 0.0,
                "n_clusters": 2500,
                "n_differing": 250,
                "margin_needs": 8765.0,
            }
        )
    return pd.DataFrame(rows).assign(**columns)


def trends(slope, p_holm, metric="mae", **columns):
    row = dict.fromkeys(TREND_COLUMNS, np.nan) | {
        "task": "LaMP-3U" if metric == "mae" else "LaMP-5U",
        "model": "zephyr",
        "retriever": "bm25",
        "precision": "int4-gptq",
        "metric": metric,
        "slope_per_doubling": slope,
        "ci_low": slope - 0.01,
        "ci_high": slope + 0.01,
        "p_holm": p_holm,
        "gap": 0.05,
        "baseline_slope": 0.001,
        "models_correlation": 0.3,
    }
    return pd.DataFrame([row]).assign(**columns)


def sentence(verdicts, table=NO_TRENDS, **columns):
    [(_, [finding])] = summary_of(comparisons(verdicts, **columns), table, CRITERIA).tasks
    return f"{finding.text} {finding.more}"


def test_all_equivalent():
    text = sentence(["equivalent"] * 4)
    assert text.startswith("INT4 GPTQ of zephyr is equivalent to FP16 within 2% at every k.")
    assert "except" not in text
    assert "missed" not in text


def test_equivalent_everywhere_but_inconclusive_at_some_k():
    text = sentence(["equivalent", "equivalent", "inconclusive", "inconclusive"])
    assert "equivalent to FP16 within 2% at every k except: inconclusive at k = 3, 4K with" in text
    # 0.05 and 0.06 of a baseline of 0.5
    assert "differences smaller than 0.050 to 0.060 (10% to 12% of the baseline's score)" in text
    assert "missed more than 20% of the time" in text
    assert (
        "To show equivalence within 2% takes up to 8,800 users if there is no difference." in text
    )


def test_equivalent_except_worse_names_size_interval_and_p():
    text = sentence(["equivalent", "equivalent", "worse"])
    assert "except: worse at k = 3 with BM25 (MAE +0.050, 95% interval +0.040 to +0.060" in text
    assert "adjusted p < 0.001)." in text


def test_worse_at_some_k_and_mostly_open():
    text = sentence(["worse", "inconclusive", "inconclusive", "equivalent"])
    assert text.startswith("Against FP16, INT4 GPTQ of zephyr is worse at k = 0 (MAE +0.050")
    assert "; equivalent within 2% at k = 4K with BM25." in text
    assert "Inconclusive at k = 1, 3 with BM25." in text


def test_better_is_told_in_the_metrics_own_direction():
    text = sentence(["better", "worse", "inconclusive"], metric="rougeL")
    assert "worse at k = 1 with BM25 (ROUGE-L −0.050" in text
    assert "better at k = 0 (ROUGE-L +0.050" in text


def test_many_differences_are_counted():
    text = sentence(["worse"] * 9, retrievers=("bm25", "dpr"))
    assert "worse at 9 combinations of k and retriever (MAE +0.050 to +0.050, adjusted p" in text


def test_all_inconclusive_is_never_called_the_same():
    text = sentence(["inconclusive"] * 4)
    assert text.startswith("For INT4 GPTQ of zephyr, neither a difference to FP16 nor equivalence")
    assert "at any k." in text
    assert "is equivalent" not in text
    assert "differences smaller than 0.030 to 0.060" in text


def test_a_single_cell():
    text = sentence(["equivalent"])
    assert "within 2% at k = 0." in text
    assert "nor equivalence within 2% is shown here." in sentence(["inconclusive"])


def test_a_detectable_difference_that_is_not_known():
    text = sentence(["inconclusive"], min_detectable_holm=np.nan)
    assert "is not known" in text
    assert "nan" not in text


def test_a_baseline_of_zero_has_no_shares():
    text = sentence(["inconclusive"], baseline_value=0.0)
    assert "differences smaller than 0.030 are missed" in text


def test_changed_answers_stand_beside_the_noise_floor():
    text = sentence(["equivalent", "equivalent"])
    assert "It changes 10% to 12% of the answers; repeating the baseline changes 3%." in text
    text = sentence(["equivalent"], noise_flip_rate=np.nan)
    assert "It changes 10% of the answers." in text


@pytest.mark.parametrize(
    ("slope", "gap", "word"),
    [(0.02, 0.05, "widens"), (-0.02, 0.05, "narrows"), (0.02, -0.05, "narrows")],
)
def test_a_gap_widens_or_narrows(slope, gap, word):
    text = sentence(["equivalent"], trends(slope, 0.01, gap=gap))
    size, mean = (f"{value:+.3f}".replace("-", "−") for value in (slope, gap))
    assert (
        f"As the context grows, with BM25 the gap in MAE (mean {mean}) {word}: {size} per doubling "
        "of the prompt (adjusted p = 0.01)." in text
    )


def test_a_baseline_that_moves_more_than_the_gap_is_named():
    text = sentence(["equivalent"], trends(0.02, 0.01, baseline_slope=-0.09))
    assert "while the baseline itself moves by −0.090, more than the gap." in text


def test_the_step_from_k_0_is_told_by_itself():
    text = sentence(["equivalent"], trends(0.02, 0.5, step=0.07, p_step_holm=0.002))
    assert "No trend of the gap" in text
    assert "From k = 0 to documents with BM25 the difference moves by +0.070" in text


def test_no_trend_is_told_of_a_gap_of_which_nothing_is_known():
    few = {"n_differing": 6}
    assert "rend" not in sentence(["inconclusive"] * 3, trends(0.02, 0.01), **few)
    assert "rend" not in sentence(["inconclusive"] * 3, trends(0.02, 0.4), **few)
    assert "gap" in sentence(["equivalent", "inconclusive"], trends(0.02, 0.01), **few)


def pooled(verdict, precision="int4-gptq", n_cells=4, **columns):
    row = dict.fromkeys(POOLED_COLUMNS, np.nan) | {
        "task": "LaMP-3U",
        "model": "zephyr",
        "metric": "mae",
        "baseline": "fp16",
        "precision": precision,
        "difference": 0.012,
        "ci_low": 0.002,
        "ci_high": 0.022,
        "p_holm": 0.004,
        "verdict": verdict,
        "n_cells": n_cells,
    }
    return pd.DataFrame([row]).assign(**columns)


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("worse", "is worse than FP16 (MAE +0.012, 95% interval +0.002 to +0.022, adjusted p ="),
        ("equivalent", "is equivalent to FP16 within 2% (MAE +0.012"),
        ("inconclusive", "is shown neither to differ from FP16 nor to be equivalent within 2% (M"),
    ],
)
def test_all_cells_together_come_first(verdict, words):
    table = comparisons(["inconclusive"] * 4)
    [(_, [finding])] = summary_of(table, NO_TRENDS, CRITERIA, pooled(verdict)).tasks
    assert finding.text.startswith(f"Over all 4 cells together, INT4 GPTQ of zephyr {words}")
    assert "Cell by cell: for INT4 GPTQ of zephyr, neither" in finding.text
    [(_, [single])] = summary_of(table, NO_TRENDS, CRITERIA, pooled(verdict, n_cells=1)).tasks
    assert "together" not in single.text


def test_the_negative_control_is_named():
    table = comparisons(["equivalent"])
    good, bad = (pooled(v, precision="noise-floor") for v in ("inconclusive", "worse"))
    assert (
        "no difference is found between" in summary_of(table, NO_TRENDS, CRITERIA, good).notes[-1]
    )
    note = summary_of(table, NO_TRENDS, CRITERIA, bad).notes[-1]
    assert note.startswith("Negative control failed")
    assert "zephyr on LaMP-3U" in note


def test_margins_in_the_metrics_unit():
    criteria = Criteria(0.95, margin={"mae": 0.05}, power=0.8)
    text = summary_of(comparisons(["equivalent"]), NO_TRENDS, criteria).headline
    assert "1 equivalent within 0.05 rating points" in text


def test_a_trend_that_is_not_shown():
    assert "No trend" in sentence(["equivalent"], trends(0.02, 0.2))
    assert "rend" not in sentence(["equivalent"], trends(np.nan, np.nan))


def test_several_models_are_summed_up_first():
    two = pd.concat([comparisons(["equivalent"]), comparisons(["worse"], model="other")])
    for p_holm, words in (
        (0.01, "the gap in MAE (mean +0.050) widens"),
        (0.2, "no trend of the gap"),
    ):
        over_models = trends(0.02, p_holm).assign(model="(pooled)")
        [(_, findings)] = summary_of(two, over_models, CRITERIA).tasks
        assert findings[0].text == (
            "INT4 GPTQ over all 2 models: of 2 comparisons 1 worse, 1 equivalent within 2%."
        )
        assert words in findings[0].more
        assert "the models' slopes correlate by 0.30" in findings[0].more
        assert list(findings[0].verdicts.items()) == [("worse", 1), ("equivalent", 1)]
        assert len(findings) == 3


def test_headline_counts_every_verdict():
    table = comparisons(["equivalent", "worse", "better", "inconclusive"])
    headline = summary_of(table, NO_TRENDS, CRITERIA).headline
    assert "4 comparisons with FP16" in headline
    assert "1 equivalent within 2%, 1 worse, 1 better, 1 inconclusive" in headline
    assert "too small" not in headline
    assert "too small" in summary_of(comparisons(["inconclusive"]), NO_TRENDS, CRITERIA).headline


def test_notes_say_what_limits_the_numbers():
    [note] = summary_of(comparisons(["equivalent"]), NO_TRENDS, CRITERIA).notes
    assert "not “no difference”" in note
    table = comparisons(["equivalent"], n_differing=6, unparseable_rate=0.2, noise_flip_rate=np.nan)
    notes = " ".join(summary_of(table, NO_TRENDS, CRITERIA).notes)
    for words in (
        "In 1 of 1 comparisons (hollow marks) the scores of fewer than 15 users",
        "Up to 20%",
        "noise floor was not run",
    ):
        assert words in notes


def test_only_the_baseline():
    summary = summary_of(comparisons(["equivalent"]).iloc[:0], NO_TRENDS, CRITERIA)
    assert summary.tasks == []
    assert "nothing to compare" in summary.headline


def test_a_grid_of_every_size_can_be_put_into_words():
    for size in ((1, 1, 2, 1, 1), (2, 6, 3, 3, 6)):
        tables = figure_tables.make(*size)
        summary = summary_of(tables["comparisons"], tables["trends"], CRITERIA, tables["pooled"])
        texts = [
            finding.text + finding.more for _, findings in summary.tasks for finding in findings
        ]
        models = size[1] + (size[1] > 1)
        assert len(texts) == size[0] * models * (size[2] - 1)
        assert not any("nan" in text or "  " in text for text in texts)


def by_evidence(*parts, p_holm=0.4):
    """Rows of `evidence.csv` over all cells, from (part, difference)."""
    row = dict.fromkeys(EVIDENCE_COLUMNS, np.nan) | {
        "task": "LaMP-5U", "model": "zephyr", "retriever": ALL, "k": ALL, "metric": "rougeL",
        "baseline": "fp16", "precision": "int4-gptq", "p_holm": p_holm,
    }  # fmt: skip
    rows = [
        row | {"evidence": part, "difference": d, "ci_low": d - 0.01, "ci_high": d + 0.01}
        for part, d in parts
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("differences", "said"),
    [
        ((-0.05, 0.01), "where the evidence is in the prompt than where it isn't (ROUGE-L −0.050"),
        ((0.01, -0.05), "where the evidence isn't in the prompt than where it is (ROUGE-L −0.050"),
    ],
)
def test_the_side_on_which_a_precision_fares_worse_is_named(differences, said):
    present, absent = differences
    rows = [("present", present), ("absent", absent), ("present-absent", present - absent)]
    table = comparisons(["worse"], metric="rougeL")
    for p_holm, is_shown in ((0.01, True), (0.4, False)):
        tables = (NO_TRENDS, CRITERIA, None, by_evidence(*rows, p_holm=p_holm))
        [(_, [finding])] = summary_of(table, *tables).tasks
        assert (said in finding.more) == is_shown
        assert ("can't tell whether it costs more" in finding.more) != is_shown
        size = f"{present - absent:+.3f}".replace("-", "−")
        assert f"with minus without evidence {size}, 95% interval" in finding.more


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([], ""),
        ([("present", 0.1)], "The evidence is in every prompt"),
        ([("absent", 0.1)], "The evidence is in no prompt"),
        ([("present", 0.1), ("absent", 0.0)], "too few questions are on one side"),
    ],
)
def test_what_cannot_be_told_of_the_evidence_is_said(parts, said):
    table = comparisons(["worse"], metric="rougeL")
    evidence = by_evidence(*parts) if parts else None
    [(_, [finding])] = summary_of(table, NO_TRENDS, CRITERIA, None, evidence).tasks
    assert said in finding.more
    assert ("evidence" in finding.more) == bool(said)


def test_without_noise_from_the_batch_every_change_is_quantization():
    criteria = replace(CRITERIA, batch_invariant=True)
    table = comparisons(["equivalent"], noise_flip_rate=0.0)
    [_, note] = summary_of(table, NO_TRENDS, criteria).notes
    assert "every changed answer is quantization" in note
    table = comparisons(["equivalent"], noise_flip_rate=0.03)
    [_, note] = summary_of(table, NO_TRENDS, criteria).notes
    assert "repeating the baseline changes up to 3% of its answers" in note


@pytest.mark.parametrize("batch_invariant", [False, True])
def test_without_the_noise_floor_nothing_is_said_of_noise(batch_invariant):
    criteria = replace(CRITERIA, batch_invariant=batch_invariant)
    table = comparisons(["equivalent"], noise_flip_rate=np.nan)
    [_, note] = summary_of(table, NO_TRENDS, criteria).notes
    assert note.startswith("vLLM was asked for" if batch_invariant else "The noise floor was not")
    assert "The noise floor was not run, so how many answers change" in note


def with_likelihood(**pooled_columns):
    main = comparisons(["inconclusive"] * 3)
    likely = comparisons(["inconclusive"] * 3).assign(
        metric="rps", difference=[0.011, 0.013, -0.002], p_holm=0.4
    )
    columns = {"metric": "rps", "n_cells": 3, "difference": 0.0073, **pooled_columns}
    return summary_of(
        pd.concat([main, likely]),
        trends(-0.004, 0.6, metric="mae").assign(metric="rps"),
        CRITERIA,
        pooled("inconclusive", **columns),
    )


def test_a_likelihood_is_stated_with_its_interval_and_its_course_over_k():
    summary = with_likelihood(ci_low=0.0012, ci_high=0.0134)
    title, (finding,) = summary.tasks[1]
    assert title == "LaMP-3U, Ranked probability score"
    assert finding.text == (
        "Over all 3 cells together, the Ranked probability score of INT4 GPTQ of zephyr minus "
        "that of FP16 is +0.007 (95% interval +0.001 to +0.013). Along k: +0.011 at k = 0, "
        "+0.013 at k = 1, −0.002 at k = 3. With BM25 it changes by −0.004 per doubling of the "
        "prompt (95% interval −0.014 to +0.006, which holds 0)."
    )
    assert "interval +0.001 to +0.013" in " ".join(as_text(summary).split())


def test_a_likelihood_whose_interval_holds_0_says_so():
    (finding,) = with_likelihood(ci_low=-0.001, ci_high=0.0134).tasks[1][1]
    assert "is +0.007 (95% interval −0.001 to +0.013, which holds 0)." in finding.text


def test_an_interval_that_is_not_known_is_left_out():
    summary = with_likelihood(ci_low=np.nan, ci_high=np.nan)
    (finding,) = summary.tasks[1][1]
    assert "minus that of FP16 is +0.007. Along k" in finding.text
    table = comparisons(["inconclusive"] * 3)
    row = pooled("inconclusive", ci_low=np.nan, ci_high=np.nan)
    [(_, [finding])] = summary_of(table, NO_TRENDS, CRITERIA, row).tasks
    assert "nan" not in finding.text


def test_nats_per_token_are_named():
    main = comparisons(["inconclusive"] * 2, metric="rougeL")
    likely = main.assign(metric="nll", difference=0.02)
    row = pooled("equivalent", task="LaMP-5U", metric="nll", n_cells=2)
    (finding,) = summary_of(pd.concat([main, likely]), NO_TRENDS, CRITERIA, row).tasks[1][1]
    assert "is +0.012 nats per token (95% interval +0.002 to +0.022; equivalent" in finding.text
