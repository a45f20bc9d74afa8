"""The users of the demo set."""

import pytest

from quantrag.tasks.demo.splits import demo_users


@pytest.fixture(scope="session")
def users():
    """Users by LaMP's number and split."""
    return {(lamp, split): demo_users(lamp, split) for lamp in (3, 5) for split in ("train", "dev")}
