"""What the comparisons show, in plain words and no stronger than the tests allow."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from quantrag.grid import K
from quantrag.names import NO_RETRIEVER, NOISE_FLOOR
from quantrag.presentation import labels
from quantrag.presentation.criteria import Criteria
from quantrag.presentation.data import (
    keep_main_metrics,
    likelihood_metrics,
    main_metrics,
    ordered_names,
)
from quantrag.scoring.evidence import ABSENT, INTERACTION, PRESENT
from quantrag.statistics.comparisons import FEW_DIFFERING, POOLED_COLUMNS
from quantrag.statistics.evidence import EVIDENCE_COLUMNS
from quantrag.statistics.trends import ALL, POOLED

MANY_INVALID = 0.05
_MOST_NAMED = 6  # cells that a sentence names one by one; more are counted


@dataclass(frozen=True)
class Finding:
    """What is shown about a model and precision, or about a precision over all models.

    Attributes:
        text: the verdict.
        more: what belongs to it: what could have been found, changed answers, trends.
        verdicts: how many comparisons have each, in the order of `labels.VERDICTS`.
    """

    text: str
    more: str = ""
    verdicts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """The report's first page.

    Attributes:
        headline: the whole experiment in a paragraph.
        tasks: (name, findings) of every task.
        notes: what to keep in mind while reading the findings.
    """

    headline: str
    tasks: list[tuple[str, list[Finding]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def summary_of(
    comparisons: pd.DataFrame,
    trends: pd.DataFrame,
    criteria: Criteria,
    pooled: pd.DataFrame | None = None,
    evidence: pd.DataFrame | None = None,
) -> Summary:
    """Put the verdicts on each task's main metric into words, and what its likelihoods say.

    Args:
        comparisons: `comparisons.csv`.
        trends: `trends.csv`; may be empty.
        criteria: of the statistics.
        pooled: `pooled.csv`; None or empty for none.
        evidence: `evidence.csv`; None or empty for none.
    """
    if comparisons.empty:
        return Summary("Only the baseline was run, so there is nothing to compare it with.")
    rows = keep_main_metrics(comparisons)
    names = ordered_names(rows)
    metrics, likelihoods = main_metrics(rows), likelihood_metrics(comparisons)
    together = pd.DataFrame(columns=POOLED_COLUMNS) if pooled is None else pooled
    by_evidence = pd.DataFrame(columns=EVIDENCE_COLUMNS) if evidence is None else evidence
    by_evidence = by_evidence[by_evidence["k"] == ALL]
    on = ", ".join(f"{labels.metric(key).label} on {labels.name(t)}" for t, key in metrics.items())
    counts = rows["verdict"].value_counts()
    found = [f"{counts.get(v, 0)} {v}" for v in ("worse", "better", "inconclusive")]
    several = len(rows) != 1
    within = " and ".join(dict.fromkeys(criteria.within(key) for key in metrics.values()))
    headline = (
        f"{len(rows)} comparison{'s' * several} with {labels.name(names.baseline)}, each on the "
        f"same prompts ({on}): {counts.get('equivalent', 0)} equivalent {within}, "
        f"{found[0]}, {found[1]}, {found[2]}."
    )
    if counts.get("inconclusive", 0) > len(rows) / 2:
        headline += " Most are inconclusive: the experiment is too small to tell."
    tasks = []
    for task in names.tasks:
        own = rows[rows["task"] == task]
        slopes, means, parts = (
            _with(table, task, metrics[task]) for table in (trends, together, by_evidence)
        )
        findings = []
        for precision, of_precision in own.groupby("precision", sort=False):
            if len(names.models) > 1:
                over_models = slopes[slopes["precision"] == precision]
                findings.append(_over_models(of_precision, over_models, criteria))
            findings += [
                _finding(part, slopes, means, parts, criteria)
                for _, part in of_precision.groupby("model", sort=False)
            ]
        tasks.append((f"{labels.name(task)}, {labels.metric(metrics[task]).label}", findings))
        if task in likelihoods:
            title = f"{labels.name(task)}, {labels.metric(likelihoods[task]).label}"
            of_likelihood = _with(comparisons, task, likelihoods[task])
            slopes, means = (_with(t, task, likelihoods[task]) for t in (trends, together))
            findings = [
                _likelihood(part, slopes, means, criteria)
                for _, part in of_likelihood.groupby(["precision", "model"], sort=False)
            ]
            tasks.append((title, findings))
    return Summary(headline, tasks, [*_notes(rows, criteria), *_control(together, metrics)])


def as_text(summary: Summary, width: int = 92) -> str:
    """The headline and each finding's verdict as plain text, in lines of at most `width`."""
    lines = textwrap.wrap(summary.headline, width)
    for task, findings in summary.tasks:
        lines += ["", task]
        for finding in findings:
            lines += textwrap.wrap(finding.text, width, initial_indent="- ", subsequent_indent="  ")
    return "\n".join(lines) + "\n"


def _finding(
    rows: pd.DataFrame,
    trends: pd.DataFrame,
    pooled: pd.DataFrame,
    evidence: pd.DataFrame,
    criteria: Criteria,
) -> Finding:
    """On one task, model and precision."""
    first = rows.iloc[0]
    metric = labels.metric(first["metric"])
    subject = f"{labels.name(first['precision'])} of {first['model']}"
    baseline = labels.name(first["baseline"])
    within = criteria.within(first["metric"])
    parts = {verdict: part for verdict, part in rows.groupby("verdict", sort=False)}
    same, open_ = parts.get("equivalent"), parts.get("inconclusive")
    everywhere = _everywhere(rows)
    shown = []
    for verdict in ("worse", "better"):
        if verdict in parts:
            shown.append(f"{verdict} at {_tested(parts[verdict], metric, criteria)}")
    if same is not None and len(same) == len(rows):
        text = f"{subject} is equivalent to {baseline} {within} {everywhere}."
    elif same is not None and 2 * len(same) >= len(rows):
        others = [*shown, *([f"inconclusive at {_cells(open_)}"] if open_ is not None else [])]
        text = (
            f"{subject} is equivalent to {baseline} {within} {everywhere} except: "
            f"{'; '.join(others)}."
        )
    elif same is not None or shown:
        if same is not None:
            shown.append(f"equivalent {within} at {_cells(same)}")
        text = f"Against {baseline}, {subject} is {'; '.join(shown)}."
        if open_ is not None:
            rest = _cells(open_) if len(open_) <= _MOST_NAMED else f"the other {len(open_)}"
            text += f" Inconclusive at {rest}."
    else:
        text = (
            f"For {subject}, neither a difference to {baseline} nor equivalence {within} "
            f"is shown {'here' if len(rows) == 1 else everywhere.replace('every', 'any')}."
        )
    more = [_flips(rows), _trend(rows, trends, metric, criteria)]
    if open_ is not None:
        more.insert(0, _detectable(open_, metric, criteria))
    more.append(_evidence(_of(evidence, first), metric, criteria))
    own = _of(pooled, first)
    own = own[own["n_cells"] > 1]
    if len(own):
        text = f"{_together(own.iloc[0], metric, criteria)} Cell by cell: {_decapitalized(text)}"
    return Finding(text, " ".join(filter(None, more)), _counts(rows))


def _of(table: pd.DataFrame, row: pd.Series) -> pd.DataFrame:
    """The rows of a table on the model and precision of a row."""
    return table[(table["model"] == row["model"]) & (table["precision"] == row["precision"])]


def _with(table: pd.DataFrame, task: str, metric: str) -> pd.DataFrame:
    return table[(table["task"] == task) & (table["metric"] == metric)]


def _likelihood(
    rows: pd.DataFrame, trends: pd.DataFrame, pooled: pd.DataFrame, criteria: Criteria
) -> Finding:
    """The difference of a likelihood on one task, model and precision, and its course over k.

    Numbers whatever the verdict: a likelihood tells something with few queries too.
    """
    first = rows.iloc[0]
    metric = labels.metric(first["metric"])
    own, slopes = _of(pooled, first), _of(trends, first)
    subject = f"{labels.name(first['precision'])} of {first['model']}"
    unit = f" {metric.unit}" if metric.unit else ""
    parts = []
    if len(own):
        whole = own.iloc[0]
        many = len(rows) > 1
        where = f"Over all {whole['n_cells']} cells together" if many else f"At {_cells(rows)}"
        same = whole["verdict"] == "equivalent"
        equivalent = f"; equivalent {criteria.within(metric.key)}" if same else ""
        parts.append(
            f"{where}, the {metric.label} of {subject} minus that of "
            f"{labels.name(first['baseline'])} is {_signed(whole['difference'], metric)}{unit}"
            f"{_interval(whole, metric, criteria, equivalent)}."
        )
    else:
        parts.append(f"{subject} against {labels.name(first['baseline'])}:")
    by_k = rows.groupby("k", sort=False)["difference"].mean()
    if len(by_k) > 1:
        course = ", ".join(
            f"{_signed(by_k[k], metric)} at k = {K.parse(k).label}"
            for k in sorted(by_k.index, key=K.parse)
        )
        parts.append(f"Along k: {course}.")
    for row in slopes.to_dict("records"):
        if pd.notna(row["ci_low"]):
            parts.append(
                f"With {labels.name(row['retriever'])} it changes by "
                f"{_signed(row['slope_per_doubling'], metric)} per doubling of the prompt"
                f"{_interval(row, metric, criteria)}."
            )
    return Finding(" ".join(parts), verdicts=_counts(rows))


def _interval(row: Any, metric: labels.Metric, criteria: Criteria, more: str = "") -> str:
    """An interval in brackets, which say so where it holds 0; nothing where none is known."""
    low, high = row["ci_low"], row["ci_high"]
    if pd.isna(low) or pd.isna(high):
        return ""
    holds = ", which holds 0" if low <= 0 <= high else ""
    return f" ({_span(low, high, metric, criteria)}{holds}{more})"


def _span(low: float, high: float, metric: labels.Metric, criteria: Criteria) -> str:
    return f"{criteria.level} interval {_signed(low, metric)} to {_signed(high, metric)}"


def _together(row: pd.Series, metric: labels.Metric, criteria: Criteria) -> str:
    """The mean over all cells: the first sentence on a model and precision."""
    size = f"{metric.label} {_signed(row['difference'], metric)}"
    if pd.notna(row["ci_low"]):
        size += f", {_span(row['ci_low'], row['ci_high'], metric, criteria)}"
    subject = f"{labels.name(row['precision'])} of {row['model']}"
    baseline = labels.name(row["baseline"])
    start = f"Over all {row['n_cells']} cells together, {subject}"
    within = criteria.within(metric.key)
    if row["verdict"] == "equivalent":
        return f"{start} is equivalent to {baseline} {within} ({size})."
    if row["verdict"] in ("worse", "better"):
        return f"{start} is {row['verdict']} than {baseline} ({size}, {_p(row['p_holm'])})."
    neither = f"is shown neither to differ from {baseline} nor to be equivalent {within}"
    return f"{start} {neither} ({size})."


def _decapitalized(text: str) -> str:
    """A sentence as it goes on after a colon; names keep their capitals."""
    first = text.split(maxsplit=1)[0]
    return text[0].lower() + text[1:] if first in ("For", "Against") else text


def _everywhere(rows: pd.DataFrame) -> str:
    """Over what all of the rows range."""
    retrievers = [r for r in rows["retriever"].unique() if r != NO_RETRIEVER]
    if len(rows["k"].unique()) == 1:
        where = f"at k = {K.parse(rows['k'].iloc[0]).label}"
    else:
        where = "at every k"
    return f"{where} with every retriever" if len(retrievers) > 1 else where


def _cells(rows: pd.DataFrame) -> str:
    """The cells of rows (`k = 0; k = 1, 3 with BM25; k = 3 with DPR`), or how many they are."""
    if len(rows) > _MOST_NAMED:
        return f"{len(rows)} combinations of k and retriever"
    found = []
    for retriever, part in rows.groupby("retriever", sort=False):
        ks = ", ".join(K.parse(k).label for k in sorted(part["k"], key=K.parse))
        name = "" if retriever == NO_RETRIEVER else f" with {labels.name(retriever)}"
        found.append(f"k = {ks}{name}")
    return "; ".join(found)


def _tested(rows: pd.DataFrame, metric: labels.Metric, criteria: Criteria) -> str:
    """Cells with a difference that was found, and its size."""
    if len(rows) > 3:
        low, high = sorted(rows["difference"], key=abs)[:: len(rows) - 1]
        sizes = f"{_signed(low, metric)} to {_signed(high, metric)}"
        return f"{_cells(rows)} ({metric.label} {sizes}, {_p(rows['p_holm'].max(), '≤')})"
    return "; ".join(
        f"{_cells(rows.iloc[[i]])} ({metric.label} {_signed(row.difference, metric)}, "
        f"{_span(row.ci_low, row.ci_high, metric, criteria)}, {_p(row.p_holm)})"
        for i, row in enumerate(rows.itertuples())
    )


def _detectable(rows: pd.DataFrame, metric: labels.Metric, criteria: Criteria) -> str:
    """What an inconclusive comparison could have found."""
    known = rows[rows["min_detectable_holm"].notna()]
    if known.empty:
        return "What differences could have been found there is not known."
    sizes = known["min_detectable_holm"]
    text = f"There, differences smaller than {_range(sizes, lambda v: f'{v:.{metric.digits}f}')}"
    score = known["baseline_value"].abs()
    if (score > 0).all():
        shares = _range(sizes / score, lambda v: f"{100 * v:.0f}%")
        text += f" ({shares} of the baseline's score)"
    text += f" are missed more than {100 * (1 - criteria.power):.0f}% of the time."
    needed = known["margin_needs"].dropna()
    if needed.empty:
        return text
    called = criteria.clusters.get(known["task"].iloc[0], "clusters")
    within = criteria.within(metric.key)
    most = f"{_rounded(needed.max()):,} {called}"
    return f"{text} To show equivalence {within} takes up to {most} if there is no difference."


def _rounded(number: float) -> int:
    """To two digits: how many are needed is an estimate."""
    return int(float(f"{number:.1e}"))


def _flips(rows: pd.DataFrame) -> str:
    """How many answers changed, beside the noise floor."""
    text = f"It changes {_range(rows['flip_rate'], lambda v: f'{100 * v:.0f}%')} of the answers"
    noise = rows["noise_flip_rate"].dropna()
    if noise.empty:
        return text + "."
    return f"{text}; repeating the baseline changes {_range(noise, lambda v: f'{100 * v:.0f}%')}."


def _trend(
    rows: pd.DataFrame, trends: pd.DataFrame, metric: labels.Metric, criteria: Criteria
) -> str:
    """Whether the gap grows with the context."""
    first = rows.iloc[0]
    own = _of(trends, first).dropna(subset=["p_holm"])
    if own.empty:
        return ""
    open_ = (rows["verdict"] == "inconclusive") & (rows["n_differing"] < FEW_DIFFERING)
    if open_.all():
        return ""  # nothing is known of the gap itself
    level = 1 - criteria.confidence
    words = [
        f"with {labels.name(row.retriever)} {_gap_moves(row, metric)} ({_p(row.p_holm)})"
        f"{_beside_baseline(row, metric)}"
        for row in own[own["p_holm"] < level].itertuples()
    ]
    text = "No trend of the gap with the length of the context is shown."
    if words:
        text = f"As the context grows, {'; '.join(words)}."
    for row in own[own["p_step_holm"] < level].itertuples():
        text += (
            f" From k = 0 to documents with {labels.name(row.retriever)} the difference moves by "
            f"{_signed(row.step, metric)} ({_p(row.p_step_holm)})."
        )
    return text


def _gap_moves(row, metric: labels.Metric) -> str:
    """What the gap does per doubling of the prompt."""
    word = "widens" if row.slope_per_doubling * row.gap > 0 else "narrows"
    slope = _signed(row.slope_per_doubling, metric)
    return (
        f"the gap in {metric.label} (mean {_signed(row.gap, metric)}) {word}: {slope} per doubling "
        "of the prompt"
    )


def _beside_baseline(row, metric: labels.Metric) -> str:
    """A warning where the baseline itself moved more than the gap."""
    if not abs(row.baseline_slope) > abs(row.slope_per_doubling):
        return ""
    moved = _signed(row.baseline_slope, metric)
    return f", while the baseline itself moves by {moved}, more than the gap"


def _evidence(rows: pd.DataFrame, metric: labels.Metric, criteria: Criteria) -> str:
    """Whether it costs more where the evidence is in the prompt, or where it isn't."""
    by_part = {row["evidence"]: row for row in rows.to_dict("records")}
    present, absent = by_part.get(PRESENT), by_part.get(ABSENT)
    if present is None and absent is None:
        return ""
    if present is None or absent is None:
        where = "in no" if present is None else "in every"
        return (
            f"The evidence is {where} prompt, so nothing can be said of where a difference is "
            "larger."
        )
    sizes = [_signed(part["difference"], metric) for part in (present, absent)]
    row = by_part.get(INTERACTION)
    if row is None:
        return (
            f"Where the evidence is in the prompt the difference in {metric.label} is {sizes[0]}, "
            f"where it isn't {sizes[1]}: too few questions are on one side to compare the two."
        )
    size = (
        f"{_signed(row['difference'], metric)}, "
        f"{_span(row['ci_low'], row['ci_high'], metric, criteria)}, {_p(row['p_holm'])}"
    )
    if row["p_holm"] < 1 - criteria.confidence:
        places = ["is in the prompt", "isn't"]
        if (row["difference"] > 0) == metric.higher_is_better:
            places, sizes = ["isn't in the prompt", "is"], sizes[::-1]
        return (
            f"It fares worse against {labels.name(row['baseline'])} where the evidence "
            f"{places[0]} than where it {places[1]} ({metric.label} {sizes[0]} and {sizes[1]}; "
            f"with minus without evidence {size}). These are different questions, so the evidence "
            "itself need not be the reason."
        )
    return (
        f"The data can't tell whether it costs more where the evidence is in the prompt "
        f"({metric.label} {sizes[0]}) or where it isn't ({sizes[1]}; with minus without evidence "
        f"{size})."
    )


def _over_models(rows: pd.DataFrame, trends: pd.DataFrame, criteria: Criteria) -> Finding:
    """On one precision of all models."""
    metric = labels.metric(rows["metric"].iloc[0])
    name = labels.name(rows["precision"].iloc[0])
    counts = _counts(rows)
    within = criteria.within(metric.key)
    said = ", ".join(
        f"{count} {verdict}{f' {within}' * (verdict == 'equivalent')}"
        for verdict, count in counts.items()
    )
    text = (
        f"{name} over all {len(rows['model'].unique())} models: of {len(rows)} comparisons {said}."
    )
    more = ""
    for row in trends[trends["model"] == POOLED].dropna(subset=["p_holm"]).itertuples():
        interval = (
            f"{_span(row.ci_low, row.ci_high, metric, criteria)}; the models' slopes correlate by "
            f"{row.models_correlation:.2f}"
        )
        if row.p_holm < 1 - criteria.confidence:
            more = (
                f"Over all models, as the context grows, {_gap_moves(row, metric)}"
                f"{_beside_baseline(row, metric)} ({interval})."
            )
        else:
            slope = _signed(row.slope_per_doubling, metric)
            more = (
                "Over all models no trend of the gap with the length of the context is shown "
                f"({slope} per doubling, {interval})."
            )
    return Finding(text, more, counts)


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    counts = rows["verdict"].value_counts()
    return {verdict: int(counts[verdict]) for verdict in labels.VERDICTS if verdict in counts}


def _notes(rows: pd.DataFrame, criteria: Criteria) -> list[str]:
    """Limits of the numbers."""
    notes = [
        "“Equivalent” means shown to differ by less than the margin, each claim by itself at "
        f"{criteria.level} confidence. “Worse” and “better” are adjusted for all comparisons of a "
        "task and metric: all cells of a model together are tested first, single cells only where "
        "these differ. “Inconclusive” is not “no difference”: neither was shown."
    ]
    few = rows["n_differing"] < FEW_DIFFERING
    if few.any():
        called = criteria.clusters.get(rows.loc[few, "task"].iloc[0], "clusters")
        notes.append(
            f"In {few.sum()} of {len(rows)} comparisons (hollow marks) the scores of fewer than "
            f"{FEW_DIFFERING} {called} differ: their intervals rest on what was not seen more than "
            "on what was."
        )
    rates = rows[["unparseable_rate", "baseline_unparseable_rate"]].max(axis=1)
    if rates.max() > MANY_INVALID:
        notes.append(
            f"Up to {100 * rates.max():.0f}% of a cell's answers could not be read; how they count "
            "(scoring.invalid) can decide a comparison."
        )
    noise = rows["noise_flip_rate"].max()
    if pd.isna(noise):
        asked = (
            "vLLM was asked for answers that don't depend on their batch "
            "(generation.vllm.batch_invariant). "
        )
        notes.append(
            f"{asked * criteria.batch_invariant}The noise floor was not run, so how many answers "
            "change without any quantization is not known."
        )
    elif criteria.batch_invariant:
        notes.append(
            f"generation.vllm.batch_invariant is on, but repeating the baseline changes up to "
            f"{100 * noise:.0f}% of its answers: something depends on the batch after all."
            if noise > 0
            else "No answer of the baseline depends on its batch "
            "(generation.vllm.batch_invariant), so every changed answer is quantization, not noise "
            "of the baseline. Precisions whose kernels have no such form (Marlin and Machete, of 4 "
            "bits) may add noise of their own."
        )
    return notes


def _control(pooled: pd.DataFrame, metrics: dict[str, str]) -> list[str]:
    """What comparing the baseline's second pass with its first one shows."""
    main = pooled["metric"] == pooled["task"].map(metrics)
    control = pooled[main & (pooled["precision"] == NOISE_FLOOR)]
    if control.empty:
        return []
    found = control[control["verdict"].isin(["worse", "better"])]
    if found.empty:
        return [
            "Negative control: no difference is found between the baseline's two passes, over all "
            f"cells of {len(control)} combination{'s' * (len(control) > 1)} of model and task."
        ]
    where = ", ".join(f"{row.model} on {labels.name(row.task)}" for row in found.itertuples())
    return [
        f"Negative control failed: the baseline's second pass differs from its first ({where}). "
        "Something other than quantization changes the scores."
    ]


def _range(values: Sequence[float], write) -> str:
    low, high = write(min(values)), write(max(values))
    return low if low == high else f"{low} to {high}"


def _signed(value: float, metric: labels.Metric) -> str:
    return f"{value:+.{metric.digits}f}".replace("-", "−")


def _p(value: float, sign: str = "=") -> str:
    return "adjusted p < 0.001" if value < 0.001 else f"adjusted p {sign} {value:.2g}"
