"""What the demo's texts are made of, from the YAML files beside this module."""

from pathlib import Path
from typing import Any

import yaml


def read_stock(name: str) -> dict[str, Any]:
    """Content of `{name}.yaml`; the file's first lines say what its keys mean.

    Order counts: the same seed draws other texts from the same phrases in another order.
    """
    path = Path(__file__).with_name(f"{name}.yaml")
    return yaml.safe_load(path.read_text(encoding="utf-8"))
