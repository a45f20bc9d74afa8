"""The largest difference that doesn't matter: a share of the score, a number, or of the gain.

`statistics.margin` is a number, the share of the baseline's score for every metric, or a mapping
from metrics to margins, each one of

- a number, in the metric's own unit: `mae: 0.05`;
- `{relative: 0.02}`: a share of the baseline's score;
- `{gain: 0.1}`: the share of what retrieval gains (the baseline's score at k over its score at
  k = 0) that may be lost. There is no margin at k = 0, nor where retrieval gains nothing.

A metric that the mapping doesn't name keeps the relative margin of 2%. A metric in nats is a
logarithm, whose zero means nothing: its relative margin of 2% is 0.02 nats, 2% of the perplexity.
"""

from collections.abc import Mapping

import numpy as np

from quantrag.scoring.metrics import Metric
from quantrag.statistics.settings import KINDS

DEFAULT = 0.02
RELATIVE, GAIN = KINDS
OWN_UNIT = "own unit"


def kind_of(margin: float | Mapping, metric: Metric) -> tuple[str, float]:
    """Kind and size of the margin that a setting gives to a metric."""
    own = margin.get(metric.key, {RELATIVE: DEFAULT}) if isinstance(margin, Mapping) else None
    if own is None:
        kind, size = RELATIVE, margin
    elif isinstance(own, Mapping):
        ((kind, size),) = own.items()
    else:
        kind, size = OWN_UNIT, own
    if kind == RELATIVE and metric.unit.startswith("nats"):
        kind = OWN_UNIT
    return kind, float(size)


def limits(
    margin: float | Mapping, metric: Metric, baseline: np.ndarray, without: np.ndarray
) -> np.ndarray:
    """The margin of each comparison, in the metric's unit; NaN where there is none.

    Args:
        margin: the setting `statistics.margin`.
        metric: the metric compared.
        baseline: the baseline's values, (n,).
        without: the baseline's values without retrieval, (n,); NaN where that is unknown, and at
            k = 0 itself.
    """
    kind, size = kind_of(margin, metric)
    if kind == OWN_UNIT:
        return np.where(np.isnan(baseline), np.nan, size)
    if kind == RELATIVE:
        return size * np.abs(baseline)
    gain = baseline - without if metric.higher_is_better else without - baseline
    return np.where(gain > 0, size * gain, np.nan)


def in_words(margin: float | Mapping, metric: Metric) -> str:
    """The margin as it is named beside `equivalent`: "within 2%", "within 0.05 rating points"."""
    kind, size = kind_of(margin, metric)
    if kind == OWN_UNIT:
        return f"within {size:g} {metric.unit or metric.label}"
    if kind == RELATIVE:
        return f"within {size * 100:g}%"
    return f"within {size * 100:g}% of retrieval's gain"
