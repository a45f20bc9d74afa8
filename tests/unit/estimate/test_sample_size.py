import pandas as pd
import pytest

from quantrag.estimate.sample_size import sample_size
from quantrag.tasks.registry import load_all
from shipped_experiments import experiment


@pytest.fixture
def config():
    return experiment("demo", statistics={"margin": {"mae": 0.05}}).model_dump()


def test_the_range_over_models_and_precisions_beside_what_is_there(config, tmp_path):
    (tmp_path / "tables").mkdir()
    rows = pd.DataFrame(
        [
            *[("LaMP-3U", "mae", 2054, 16), ("LaMP-3U", "mae", 12_345, 16)],
            *[("LaMP-5U", "rougeL", 880, 16), ("LaMP-5U", "nll", float("nan"), 16)],
            ("LaMP-5U", "a metric of another time", 5, 16),
        ],
        columns=["task", "metric", "margin_needs", "n_clusters"],
    )
    rows.to_csv(tmp_path / "tables" / "pooled.csv", index=False)
    lines = sample_size(config, load_all(config["tasks"]), tmp_path)
    assert lines[2:] == [
        "- LaMP-3U, MAE within 0.05 rating points: 2,100 to 12,000 users; answered: 16",
        "- LaMP-5U, ROUGE-L within 2%: 880 users; answered: 16",
    ]
    assert "a probability of 80%" in lines[1]


def test_without_answers_it_says_how_to_learn_it(config, tmp_path):
    assert "max_queries" in " ".join(sample_size(config, load_all(config["tasks"]), tmp_path))
