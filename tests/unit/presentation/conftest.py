"""Tables of a small experiment."""

import pytest

import figure_tables
from figure_drawing import DEMO


@pytest.fixture(scope="session")
def demo():
    return figure_tables.make(*DEMO)
