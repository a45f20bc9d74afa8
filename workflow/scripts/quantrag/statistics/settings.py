"""The configuration's section `statistics`."""

import math
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from quantrag.section import Integer, Mistake, Number, Section, shown

#: Kinds of margins that depend on the baseline's scores (`quantrag.statistics.margins`).
KINDS = ("relative", "gain")
_ABOVE_0 = {"type": "number", "exclusiveMinimum": 0}
_KIND = {
    "type": "object",
    "properties": dict.fromkeys(KINDS, _ABOVE_0),
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}


def _margin(value: Any) -> Any:
    """A number above 0, or a mapping from metrics to a number or to one of `KINDS`."""
    if not isinstance(value, dict):
        return _above_0(value)
    # Imported here: most experiments need no list of metrics before any job.
    from quantrag.scoring.metrics import METRICS, is_recorded

    for metric, own in value.items():
        if metric not in METRICS and not is_recorded(str(metric)):
            known = ", ".join(METRICS)
            raise Mistake(f"unknown metric {shown(metric)}. Known: {known}", str(metric))
        if not isinstance(own, dict):
            _above_0(own, str(metric))
            continue
        if len(own) != 1 or next(iter(own)) not in KINDS:
            allowed = "a number, {relative: a number} or {gain: a number}"
            raise Mistake(f"{shown(own)} is not allowed. Allowed: {allowed}", str(metric))
        for kind, size in own.items():
            _above_0(size, str(metric), kind)
    return value


def _above_0(value: Any, *path: str) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value <= 0:
        raise Mistake(f"{shown(value)} is not allowed. Allowed: finite numbers above 0", *path)
    return value


Margin = Annotated[
    Any,
    BeforeValidator(_margin),
    WithJsonSchema(
        {
            "anyOf": [
                _ABOVE_0,
                {"type": "object", "additionalProperties": {"anyOf": [_ABOVE_0, _KIND]}},
            ]
        }
    ),
]


class StatisticsSettings(Section):
    """Intervals and tests; what they are and why is in `docs/statistics.md`."""

    confidence: Number = Field(
        0.95,
        gt=0.5,
        lt=1,
        description="Confidence level of all intervals. Tests are made at the level 1 - "
        "confidence.",
    )
    draws: Integer = Field(
        10000,
        ge=100,
        description="Bootstrap resamples of the clusters, for scores that are no means (macro F1).",
    )
    permutations: Integer = Field(
        100000,
        ge=100,
        description="Random swaps behind `p_swap`; where there are no more ways to swap, each is "
        "tried once.",
    )
    margin: Margin = Field(
        0.02,
        description="Largest difference from the baseline that doesn't matter; the equivalence "
        "test is made against it. A number is a share of the baseline's score, for every metric "
        "(0.02: 2 %). A mapping gives metrics margins of their own: a number is in the metric's "
        "unit (`mae: 0.05`), `{relative: 0.02}` a share of the baseline's score, `{gain: 0.1}` the "
        "share of what retrieval gains (the baseline's score at k over that at k = 0) that may be "
        "lost. Metrics that it doesn't name keep 2 % of the score. A share of a metric in nats is "
        "one of the perplexity: 0.02 nats.",
    )
    power: Number = Field(
        0.8,
        gt=0.5,
        lt=1,
        description="Probability of detection for which `min_detectable` is computed.",
    )
