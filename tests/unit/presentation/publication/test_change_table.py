"""Relative change."""

from publication_samples import CRITERIA, cells
from quantrag.presentation.publication import make_tables


def test_relative_change_is_in_percent_of_the_baseline(demo):
    row = demo["comparisons"].iloc[0]
    table = make_tables("change", demo, CRITERIA)[0]
    wanted = f"{100 * row['difference'] / row['baseline_value']:+.1f}".replace("-", "−")
    assert cells(table)[0][:3] == ["Llama-2-7b-chat", "INT4 AWQ", wanted]
    assert "below 0 is better" in table.caption
