"""The configuration's section `statistics`."""

from pydantic import Field

from quantrag.section import Integer, Number, Section


class StatisticsSettings(Section):
    """Intervals and tests; what they are and why is in `docs/statistics.md`."""

    confidence: Number = Field(
        0.95,
        gt=0.5,
        lt=1,
        description="Confidence level of all intervals. Tests are made at the level 1 - "
        "confidence.",
    )
    draws: Integer = Field(10000, ge=100, description="Bootstrap resamples of the users.")
    permutations: Integer = Field(
        100000,
        ge=100,
        description="Random swaps of the paired permutation test. The smallest p-value it can give "
        "is 1 / (permutations + 1), times the number of comparisons after Holm's adjustment.",
    )
    margin: Number = Field(
        0.02,
        gt=0,
        description="Largest difference from the baseline that doesn't matter, as a share of the "
        "baseline's score (0.02: 2 %). The equivalence test is made against it.",
    )
    power: Number = Field(
        0.8,
        gt=0.5,
        lt=1,
        description="Probability of detection for which `min_detectable` is computed.",
    )
