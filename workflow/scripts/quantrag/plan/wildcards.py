"""Constraints of wildcards: which names a wildcard may stand for."""

import re
from collections.abc import Iterable


def one_of(names: Iterable[str]) -> str:
    """A regular expression that matches exactly these names (nothing when there are none)."""
    return "|".join(re.escape(name) for name in names) or "(?!)"
