"""evidence.csv: does a precision cost more where the evidence is in the prompt (reading)?

Or where it isn't (knowing)? The comparisons of `quantrag.statistics.comparisons` over the answers
whose prompt holds the evidence, over those whose prompt doesn't, and by the third of the prompt's
documents in which it stands; and how much the first two differ (`contrast`).
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from quantrag.scoring.evidence import ABSENT, INTERACTION, PARTS, PRESENT
from quantrag.statistics.bounded import Differences
from quantrag.statistics.comparisons import (
    COMPARISON_COLUMNS,
    compare,
    groups_of,
    included,
    pairs_of,
    pool,
)
from quantrag.statistics.effects import contrast, effect, pooled
from quantrag.statistics.paired import gatekept
from quantrag.statistics.score_arrays import ScoreArrays
from quantrag.statistics.trends import ALL

EVIDENCE_COLUMNS = [
    *["task", "model", "retriever", "k", "evidence"],
    *[column for column in COMPARISON_COLUMNS if column not in ("task", "model", "retriever", "k")],
    "n_cells",
]


def compare_by_evidence(
    grid: ScoreArrays,
    *,
    baseline: str,
    policy: str,
    confidence: float,
    margin: float | Mapping,
    power: float,
    permutations: int,
    seed: int,
) -> pd.DataFrame:
    """Split one task's comparisons by the place of the evidence in the prompt.

    Args:
        as `quantrag.statistics.comparisons.compare`.

    Returns:
        Columns `EVIDENCE_COLUMNS`; `evidence` is a key of `PARTS` or `INTERACTION`. One row per
        cell, metric and part, as `compare` has them, and one over all cells, as `pool` has them,
        with the retriever and k `(all)`. A part without answers has no row, nor has an interaction
        of which a side has fewer than two clusters. Rows of `INTERACTION` have a difference, its
        interval and p-values, and the numbers of what they rest on. Empty where it is nowhere known
        which documents hold the evidence.
    """
    shared = {"baseline": baseline, "policy": policy, "confidence": confidence}
    sizes = {"margin": margin, "power": power}
    frames = []
    for name, places in PARTS.items():
        subset = np.isin(grid.evidence, places)
        if not subset.any():
            continue
        together = pool(grid, **shared, **sizes, subset=subset)
        cells = compare(
            grid, **shared, **sizes, permutations=permutations, seed=seed, subset=subset
        )
        frames += [
            together.assign(retriever=ALL, k=ALL, evidence=name),
            cells.assign(evidence=name),
        ]
    frames += _interactions(grid, **shared)
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        return pd.DataFrame(columns=EVIDENCE_COLUMNS)
    frame = pd.concat(frames, ignore_index=True)
    # All parts of a comparison stand together, those of all cells first.
    names = ["retriever", "k", "model", "precision", "metric", "evidence"]
    order = pd.DataFrame({name: pd.factorize(frame[name])[0] for name in names}).sort_values(names)
    return frame.loc[order.index, EVIDENCE_COLUMNS].reset_index(drop=True)


def _interactions(
    grid: ScoreArrays, baseline: str, policy: str, confidence: float
) -> list[pd.DataFrame]:
    """Rows of `INTERACTION` over all cells, and of the cells: two frames for each metric."""
    sides = [np.isin(grid.evidence, PARTS[name]) for name in (PRESENT, ABSENT)]
    pairs, shared = pairs_of(grid, baseline, sides[0] | sides[1])
    if not len(pairs):
        return []
    groups = groups_of(shared)
    first = np.unique(groups, return_index=True)[1]
    model = shared.iloc[first].reset_index(drop=True).assign(retriever=ALL, k=ALL)
    frames = []
    for metric in grid.metrics:
        if not metric.is_mean:
            continue
        effects = [
            effect(grid, metric, pairs, included(grid, pairs, policy, side)) for side in sides
        ]
        together = _interaction(*(pooled(own, groups) for own in effects), confidence)
        together["n_cells"] = np.bincount(groups)
        p_value = together["p_value"]
        together["p_holm"] = np.minimum(1.0, p_value * max(np.sum(~np.isnan(p_value)), 1))
        of_cells = _interaction(*(own.differences for own in effects), confidence)
        of_cells["p_holm"] = gatekept(of_cells["p_value"], groups, together["p_holm"])
        for named, columns in ((model, together), (shared, of_cells)):
            part = named.assign(metric=metric.key, evidence=INTERACTION, verdict="", **columns)
            frames.append(part[part["p_value"].notna()])
    return frames


def _interaction(
    present: Differences, absent: Differences, confidence: float
) -> dict[str, np.ndarray]:
    own = contrast(present, absent)
    # One cluster may weigh more than its bound in a small part; no difference does.
    largest = present.bound + absent.bound
    low, high = (np.clip(end, -largest, largest) for end in own.interval(confidence))
    return {
        "difference": own.mean,
        "ci_low": low,
        "ci_high": high,
        "p_value": own.p_value(),
        "n": np.round(present.counts.sum(axis=1) + absent.counts.sum(axis=1)).astype(np.int64),
        "n_clusters": own.n_clusters,
        "n_differing": own.n_differing,
    }
