"""What the comparisons show, in plain words and no stronger than the tests allow."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from quantrag.grid import K
from quantrag.names import NO_RETRIEVER
from quantrag.presentation import labels
from quantrag.presentation.criteria import Criteria
from quantrag.presentation.data import keep_main_metrics, main_metrics, ordered_names
from quantrag.statistics.trends import POOLED

FEW_CLUSTERS = 30  # docs/statistics.md: with fewer no bootstrap interval is exact
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


def summary_of(comparisons: pd.DataFrame, trends: pd.DataFrame, criteria: Criteria) -> Summary:
    """Put the verdicts on each task's main metric into words.

    Args:
        comparisons: `comparisons.csv`.
        trends: `trends.csv`; may be empty.
        criteria: of the statistics.
    """
    if comparisons.empty:
        return Summary("Only the baseline was run, so there is nothing to compare it with.")
    rows = keep_main_metrics(comparisons)
    names = ordered_names(rows)
    metrics = main_metrics(rows)
    on = ", ".join(f"{labels.metric(key).label} on {labels.name(t)}" for t, key in metrics.items())
    counts = rows["verdict"].value_counts()
    found = [f"{counts.get(v, 0)} {v}" for v in ("worse", "better", "inconclusive")]
    several = len(rows) != 1
    headline = (
        f"{len(rows)} comparison{'s' * several} with {labels.name(names.baseline)}, each on the "
        f"same prompts ({on}): {counts.get('equivalent', 0)} equivalent {criteria.within}, "
        f"{found[0]}, {found[1]}, {found[2]}."
    )
    if counts.get("inconclusive", 0) > len(rows) / 2:
        headline += " Most are inconclusive: the experiment is too small to tell."
    tasks = []
    for task in names.tasks:
        own = rows[rows["task"] == task]
        slopes = trends[(trends["task"] == task) & (trends["metric"] == metrics[task])]
        findings = []
        for precision, of_precision in own.groupby("precision", sort=False):
            if len(names.models) > 1:
                pooled = slopes[slopes["precision"] == precision]
                findings.append(_over_models(of_precision, pooled, criteria))
            findings += [
                _finding(part, slopes, criteria)
                for _, part in of_precision.groupby("model", sort=False)
            ]
        tasks.append((f"{labels.name(task)}, {labels.metric(metrics[task]).label}", findings))
    return Summary(headline, tasks, _notes(rows, criteria))


def as_text(summary: Summary, width: int = 92) -> str:
    """The headline and each finding's verdict as plain text, in lines of at most `width`."""
    lines = textwrap.wrap(summary.headline, width)
    for task, findings in summary.tasks:
        lines += ["", task]
        for finding in findings:
            lines += textwrap.wrap(finding.text, width, initial_indent="- ", subsequent_indent="  ")
    return "\n".join(lines) + "\n"


def _finding(rows: pd.DataFrame, trends: pd.DataFrame, criteria: Criteria) -> Finding:
    """On one task, model and precision."""
    first = rows.iloc[0]
    metric = labels.metric(first["metric"])
    subject = f"{labels.name(first['precision'])} of {first['model']}"
    baseline = labels.name(first["baseline"])
    parts = {verdict: part for verdict, part in rows.groupby("verdict", sort=False)}
    same, open_ = parts.get("equivalent"), parts.get("inconclusive")
    everywhere = _everywhere(rows)
    shown = []
    for verdict in ("worse", "better"):
        if verdict in parts:
            shown.append(f"{verdict} at {_tested(parts[verdict], metric, criteria)}")
    if same is not None and len(same) == len(rows):
        text = f"{subject} is equivalent to {baseline} {criteria.within} {everywhere}."
    elif same is not None and 2 * len(same) >= len(rows):
        others = [*shown, *([f"inconclusive at {_cells(open_)}"] if open_ is not None else [])]
        text = (
            f"{subject} is equivalent to {baseline} {criteria.within} {everywhere} except: "
            f"{'; '.join(others)}."
        )
    elif same is not None or shown:
        if same is not None:
            shown.append(f"equivalent {criteria.within} at {_cells(same)}")
        text = f"Against {baseline}, {subject} is {'; '.join(shown)}."
        if open_ is not None:
            rest = _cells(open_) if len(open_) <= _MOST_NAMED else f"the other {len(open_)}"
            text += f" Inconclusive at {rest}."
    else:
        text = (
            f"For {subject}, neither a difference to {baseline} nor equivalence {criteria.within} "
            f"is shown {'here' if len(rows) == 1 else everywhere.replace('every', 'any')}."
        )
    more = [_flips(rows), _trend(rows, trends, metric, criteria)]
    if open_ is not None:
        more.insert(0, _detectable(open_, metric, criteria))
    return Finding(text, " ".join(filter(None, more)), _counts(rows))


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
        f"{criteria.level} interval {_signed(row.ci_low, metric)} to "
        f"{_signed(row.ci_high, metric)}, {_p(row.p_holm)})"
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
    return f"{text} are missed more than {100 * (1 - criteria.power):.0f}% of the time."


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
    own = trends[(trends["model"] == first["model"])]
    own = own[own["precision"] == first["precision"]].dropna(subset=["p_holm"])
    if own.empty:
        return ""
    found = own[own["p_holm"] < 1 - criteria.confidence]
    if found.empty:
        return "No trend of the gap with the length of the context is shown."
    words = []
    for row in found.itertuples():
        word = _direction(row.slope_per_doubling, metric)
        slope = _signed(row.slope_per_doubling, metric)
        words.append(
            f"with {labels.name(row.retriever)} {metric.label} gets {word} than the baseline's by "
            f"{slope} per doubling of the prompt ({_p(row.p_holm)})"
        )
    return f"As the context grows, {'; '.join(words)}."


def _over_models(rows: pd.DataFrame, trends: pd.DataFrame, criteria: Criteria) -> Finding:
    """On one precision of all models."""
    metric = labels.metric(rows["metric"].iloc[0])
    name = labels.name(rows["precision"].iloc[0])
    counts = _counts(rows)
    said = ", ".join(
        f"{count} {verdict}{f' {criteria.within}' * (verdict == 'equivalent')}"
        for verdict, count in counts.items()
    )
    text = (
        f"{name} over all {len(rows['model'].unique())} models: of {len(rows)} comparisons {said}."
    )
    more = ""
    for row in trends[trends["model"] == POOLED].dropna(subset=["p_holm"]).itertuples():
        interval = (
            f"{_signed(row.slope_per_doubling, metric)} {metric.label} per doubling of the prompt, "
            f"{criteria.level} interval {_signed(row.ci_low, metric)} to "
            f"{_signed(row.ci_high, metric)}"
        )
        if row.p_holm < 1 - criteria.confidence:
            word = _direction(row.slope_per_doubling, metric)
            more = f"Over all models it gets {word} with the context: {interval}."
        else:
            more = f"Over all models no trend with the context is shown ({interval})."
    return Finding(text, more, counts)


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    counts = rows["verdict"].value_counts()
    return {verdict: int(counts[verdict]) for verdict in labels.VERDICTS if verdict in counts}


def _notes(rows: pd.DataFrame, criteria: Criteria) -> list[str]:
    """Limits of the numbers."""
    notes = [
        "“Equivalent” means shown to differ by less than the margin, each claim by itself at "
        f"{criteria.level} confidence; “worse” and “better” are adjusted for all comparisons of a "
        "task and metric (Holm). “Inconclusive” is not “no difference”: neither was shown."
    ]
    fewest = rows.sort_values("n_clusters", kind="stable").iloc[0]
    if fewest["n_clusters"] < FEW_CLUSTERS:
        called = criteria.clusters.get(fewest["task"], "clusters")
        notes.append(
            f"There are only {fewest['n_clusters']} {called}: with fewer than {FEW_CLUSTERS} no "
            "interval here is exact."
        )
    rates = rows[["unparseable_rate", "baseline_unparseable_rate"]].max(axis=1)
    if rates.max() > MANY_INVALID:
        notes.append(
            f"Up to {100 * rates.max():.0f}% of a cell's answers could not be read; how they count "
            "(scoring.invalid) can decide a comparison."
        )
    if rows["noise_flip_rate"].isna().all():
        notes.append(
            "The noise floor was not run, so how many answers change without any quantization is "
            "not known."
        )
    return notes


def _direction(slope: float, metric: labels.Metric) -> str:
    return "better" if (slope > 0) == metric.higher_is_better else "worse"


def _range(values: Sequence[float], write) -> str:
    low, high = write(min(values)), write(max(values))
    return low if low == high else f"{low} to {high}"


def _signed(value: float, metric: labels.Metric) -> str:
    return f"{value:+.{metric.digits}f}".replace("-", "−")


def _p(value: float, sign: str = "=") -> str:
    return "adjusted p < 0.001" if value < 0.001 else f"adjusted p {sign} {value:.2g}"
