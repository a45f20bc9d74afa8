"""The look in which all figures are drawn."""

import pytest

from quantrag.presentation.figures import style


@pytest.fixture(autouse=True)
def _style():
    with style.context():
        yield
