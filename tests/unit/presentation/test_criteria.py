"""How captions name what tests were made with."""

import pytest

from quantrag.presentation.criteria import Criteria


@pytest.mark.parametrize(("confidence", "level"), [(0.95, "95%"), (0.9, "90%"), (0.999, "99.9%")])
def test_the_level_is_the_confidence_as_a_percentage(confidence, level):
    assert Criteria(confidence=confidence, margin=0.02, power=0.8).level == level
