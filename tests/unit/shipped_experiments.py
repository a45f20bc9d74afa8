"""The shipped configurations, for tests of what follows from one."""

from pathlib import Path
from typing import Any

import yaml

from quantrag.config.experiment import Experiment
from quantrag.config.loading import load_config

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "workflow" / "scripts"


def experiment(name: str = "demo", **changes: Any) -> Experiment:
    """A shipped configuration with other values of some keys."""
    raw = yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8"))
    return load_config({**raw, **changes})
