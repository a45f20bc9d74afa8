"""This machine's processor, as the kernel describes it."""

import platform
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


def flags(path: str | Path = _CPUINFO) -> frozenset[str]:
    """The processor's instruction sets as the kernel names them; empty where that is unknown."""
    return frozenset((_first(path, "flags", "Features") or "").split())


def cpu_name(path: str | Path = _CPUINFO) -> str:
    """The processor's name; its architecture where the kernel doesn't say."""
    return _first(path, "model name") or platform.processor() or platform.machine()


def _first(path: str | Path, *keys: str) -> str | None:
    """The first value of one of the keys; None where there is none or no such file."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    pairs = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in pairs if key.strip() in keys), None)
