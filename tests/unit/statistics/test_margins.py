import numpy as np
import pytest
from pydantic import ValidationError

from quantrag.scoring.metrics import METRICS
from quantrag.statistics.margins import in_words, limits
from quantrag.statistics.settings import StatisticsSettings

BASELINE, WITHOUT = np.array([0.5, 0.3, 0.7]), np.array([0.4, 0.4, np.nan])


@pytest.mark.parametrize(
    ("margin", "metric", "expected"),
    [
        (0.02, "rougeL", [0.01, 0.006, 0.014]),
        ({"rougeL": 0.01}, "rougeL", [0.01, 0.01, 0.01]),
        ({"mae": 0.05}, "rougeL", [0.01, 0.006, 0.014]),
        ({"rougeL": {"relative": 0.1}}, "rougeL", [0.05, 0.03, 0.07]),
        # Retrieval adds 0.1 to the first score, and takes 0.1 from the second error.
        ({"rougeL": {"gain": 0.2}}, "rougeL", [0.02, np.nan, np.nan]),
        ({"mae": {"gain": 0.2}}, "mae", [np.nan, 0.02, np.nan]),
        # A share of the perplexity, whatever the baseline's logarithm of it is.
        (0.02, "nll", [0.02, 0.02, 0.02]),
        ({"mae": 0.05}, "divergence", [0.02, 0.02, 0.02]),
        ({"nll": {"gain": 0.2}}, "nll", [np.nan, 0.02, np.nan]),
    ],
)
def test_margins_in_the_metrics_unit(margin, metric, expected):
    found = limits(margin, METRICS[metric], BASELINE, WITHOUT)
    assert found.tolist() == pytest.approx(expected, nan_ok=True)


def test_margins_in_words():
    assert in_words(0.02, METRICS["mae"]) == "within 2%"
    assert in_words({"mae": 0.05}, METRICS["mae"]) == "within 0.05 rating points"
    assert in_words(0.02, METRICS["nll"]) == "within 0.02 nats per token"
    assert in_words({"rougeL": 0.01}, METRICS["rougeL"]) == "within 0.01 ROUGE-L"
    assert in_words({"mae": {"gain": 0.1}}, METRICS["mae"]) == "within 10% of retrieval's gain"


@pytest.mark.parametrize(
    "margin", [0.02, 1, {"mae": 0.05, "rougeL": {"gain": 0.1}}, {"f1": {"relative": 0.02}}]
)
def test_margins_that_are_allowed_stay_as_written(margin):
    assert StatisticsSettings(margin=margin).margin == margin


@pytest.mark.parametrize(
    ("margin", "words"),
    [
        (0, "finite numbers above 0"),
        ("2%", "finite numbers above 0"),
        (True, "finite numbers above 0"),
        (float("nan"), "finite numbers above 0"),
        ({"mea": 0.1}, "unknown metric 'mea'"),
        ({"mae": -0.1}, "finite numbers above 0"),
        ({"mae": {"gain": 0.1, "relative": 0.1}}, "{relative: a number} or {gain: a number}"),
        ({"mae": {"gian": 0.1}}, "{relative: a number} or {gain: a number}"),
        ({"mae": {"gain": "much"}}, "finite numbers above 0"),
    ],
)
def test_other_margins_are_refused(margin, words):
    with pytest.raises(ValidationError, match=words):
        StatisticsSettings(margin=margin)
