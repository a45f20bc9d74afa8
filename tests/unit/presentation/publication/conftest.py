"""Tables of a small experiment."""

import pytest

import figure_tables


@pytest.fixture(scope="session")
def demo():
    return figure_tables.make(2, 1, 3, 2, 4)
