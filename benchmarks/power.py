"""How many queries a likelihood needs to show a loss, against what the answers' scores need.

The same synthetic loss is put on both. A model knows something of each query: the logits of its
answer are drawn around the gold's. Quantization adds noise to them and takes a little from the
gold's (the loss). The model answers with what is then most likely, and answers, ratings or texts,
are scored as the workflow does: MAE against the ranked probability score and the log loss, ROUGE-1
against the NLL of the gold per token. `queries` is the number at which the test of the tables
(`p_value` in comparisons.csv) finds the loss with 80% power at 5%, by drawing samples; `of_t` is
the power of a paired t-test at that number.

    python benchmarks/power.py [--json FILE] [--quick]

`--quick`: 20,000 queries in place of 200,000.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from scipy import stats

from benchmarks.parts import common
from quantrag.scoring.likelihoods import log_loss, normalized, ranked_probability_score
from quantrag.scoring.metrics import METRICS
from quantrag.statistics.bounded import Differences

POWER, LEVEL = 0.8, 0.05
#: What quantization takes from the gold's logit, and the noise that it adds to all, in nats.
LOSSES = {"small loss": (0.01, 0.1), "large loss": (0.05, 0.3)}
KEYS = {"MAE": "mae", "RPS": "rps", "log loss": "log_loss", "ROUGE-1": "rouge1", "NLL": "nll"}
TOKENS, CANDIDATES = 8, 20  # of a text: its length, and what could stand at each place


def ratings(n: int, loss: float, noise: float, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Paired differences of each metric, quantized minus baseline; higher is worse."""
    gold = rng.integers(5, size=n)
    # A model that is often near the gold, and sure of it to a different degree.
    distance = np.abs(np.arange(5) - gold[:, None])
    sharpness = rng.gamma(2.0, 0.6, size=(n, 1))
    logits = -sharpness * distance + rng.normal(0, 1, (n, 5))
    quantized = logits + rng.normal(0, noise, (n, 5)) - loss * (distance == 0)
    error = [np.abs(one.argmax(1) - gold) for one in (logits, quantized)]
    scores = {"MAE": error[1] - error[0]}
    for name, score in (("RPS", ranked_probability_score), ("log loss", log_loss)):
        scores[name] = score(quantized, gold) - score(logits, gold)
    return scores


def texts(n: int, loss: float, noise: float, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """As `ratings`, for texts of `TOKENS` words; the gold's word is candidate 0 at each place.

    Every place is predicted given the gold's words before it, also where the answer has left them:
    so the answer's score suffers less here than it would.
    """
    knows = rng.normal(1.5, 2.0, (n, TOKENS))
    logits = rng.normal(0, 1, (n, TOKENS, CANDIDATES))
    logits[:, :, 0] += knows
    quantized = logits + rng.normal(0, noise, logits.shape)
    quantized[:, :, 0] -= loss
    nll, overlap = [], []
    for one in (logits, quantized):
        flat = normalized(one.reshape(-1, CANDIDATES))
        nll.append(-flat[:, 0].reshape(n, TOKENS).mean(1))
        overlap.append((one.argmax(2) == 0).mean(1))
    return {"ROUGE-1": overlap[0] - overlap[1], "NLL": nll[1] - nll[0]}


def power_of_t(differences: np.ndarray, size: int) -> float:
    """Power of a paired two-sided t-test at a size, from the effect's mean and deviation."""
    reach = differences.mean() / differences.std(ddof=1) * np.sqrt(size)
    return float(stats.norm.cdf(reach - stats.norm.ppf(1 - LEVEL / 2)))


def power(metric: str, differences: np.ndarray, size: int, rng: np.random.Generator) -> float:
    """How often the tables' test finds the difference in samples of a size."""
    trials = max(200, min(2000, 4_000_000 // size))
    sample = rng.choice(differences, (trials, size))
    counts = np.ones_like(sample)
    usual, _ = METRICS[KEYS[metric]].largest_differences(sample, 0 * sample, counts > 0)
    return float(np.mean(Differences(sample, counts, usual).p_value() < LEVEL))


def queries_needed(metric: str, differences: np.ndarray, rng: np.random.Generator) -> int:
    """Queries at which that is the power asked for, to 3%."""
    size = 8
    while power_of_t(differences, size) < POWER:
        size = int(np.ceil(1.03 * size + 1))
    while power(metric, differences, size, rng) < POWER:
        size = int(np.ceil(1.03 * size))
    return size


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    n = 20_000 if arguments.quick else 200_000
    numbers: dict[str, Any] = {}
    for kind, draw in (("ratings", ratings), ("texts", texts)):
        for name, effect in LOSSES.items():
            rng = np.random.default_rng(0)
            rows = {}
            for metric, differences in draw(n, *effect, rng).items():
                needed = queries_needed(metric, differences, rng)
                rows[metric] = {
                    "queries": needed,
                    "of_t": power_of_t(differences, needed),
                    "mean": float(differences.mean()),
                }
            first = next(iter(rows.values()))["queries"]
            common.show(
                f"{kind}, {name}: {effect[0]} nats, noise {effect[1]}",
                [
                    (
                        f"{metric}: {row['queries']:,} queries (t-test {row['of_t']:.0%})",
                        f"{first / row['queries']:.1f} x fewer",
                    )
                    for metric, row in rows.items()
                ],
            )
            numbers[f"{kind}, {name}"] = rows
    return numbers


if __name__ == "__main__":
    common.run(measure, common.parser_of(__doc__).parse_args())
