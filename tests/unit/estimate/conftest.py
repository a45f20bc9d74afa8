"""What the estimate assumes."""

import pytest
import yaml


@pytest.fixture
def facts(root):
    """Content of config/estimate.yaml."""
    return yaml.safe_load((root / "config" / "estimate.yaml").read_text(encoding="utf-8"))
