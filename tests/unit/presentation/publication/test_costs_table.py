"""Costs."""

import figure_tables
from publication_samples import CRITERIA
from quantrag.presentation.publication import make_tables


def test_costs_leave_out_what_nobody_measured():
    tables = figure_tables.make(1, 2, 3, 1, 2, energy=False)
    (table,) = make_tables("costs", tables, CRITERIA)
    assert "Energy (Wh)" not in table.columns
    assert [group.heading for group in table.groups] == [
        "Llama-2-7b-chat",
        "Meta-Llama-3-8B-Instruct",
    ]
    weights = [row[1] for row in table.groups[0].rows]
    assert [cell.best for cell in weights] == [False, True, True]
    assert "vllm on NVIDIA H200" in table.caption
