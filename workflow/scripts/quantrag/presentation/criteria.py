"""What intervals and tests were made with, as captions and sentences name it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from quantrag.presentation import labels
from quantrag.statistics.margins import in_words


@dataclass(frozen=True)
class Criteria:
    """What intervals and tests were made with.

    Attributes:
        confidence: level of intervals and tests, from 0 to 1.
        margin: of equivalence (`quantrag.statistics.margins`).
        power: of the smallest detectable difference, from 0 to 1.
        batch_invariant: whether the engine's answers don't depend on the batch.
        clusters: what was resampled in each task, in the plural ("users").
    """

    confidence: float
    margin: float | Mapping
    power: float
    clusters: Mapping[str, str] = field(default_factory=dict)
    batch_invariant: bool = False

    @property
    def level(self) -> str:
        """The confidence as a percentage."""
        return f"{self.confidence * 100:g}%"

    def within(self, metric: str) -> str:
        """The margin as it is named beside `equivalent`."""
        return in_words(self.margin, labels.metric(metric))
