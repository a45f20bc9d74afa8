"""What a stretch of work costs: time, memory, energy; and one progress line for the log."""

import logging
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
from tqdm import tqdm

from quantrag.runtime.gpu import gpu_handles

log = logging.getLogger(__name__)

GIB = 2**30
#: Seconds between two samples of the memory in use.
_INTERVAL = 0.5
_RAPL = Path("/sys/class/powercap")


class Meter:
    """Samples memory and energy in the background from its creation until `stop`.

    On a GPU: memory in use on the visible devices beyond what was in use at the start (other
    processes' included, which only an exclusive GPU rules out), and energy from NVML's counters.
    On the CPU: resident memory of this process and its children, and the packages' energy from
    RAPL where the kernel lets us read it. What can't be measured is None, never 0.

    Args:
        device: `cuda` or `cpu`.
        devices: number of GPUs in use.
    """

    def __init__(self, device: str, devices: int = 1):
        self._gpus = gpu_handles(devices) if device == "cuda" else []
        self._device = device
        self._base = self._gpu_memory() if self._gpus else 0
        self._peak = 0
        self._counters = _EnergyCounters(self._gpus if device == "cuda" else None)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the sampling; `reading` then no longer changes."""
        self._stopped.set()
        self._thread.join()

    def reading(self) -> dict[str, float | None]:
        """`peak_memory_gib` and `energy_wh` since the start."""
        return {
            # 0 where NVML has none, or too little changed for it to see.
            "peak_memory_gib": self._peak / GIB or None,
            "energy_wh": self._counters.watt_hours(),
        }

    def _sample(self) -> None:
        while True:
            if self._device == "cuda":
                used = self._gpu_memory() - self._base if self._gpus else 0
            else:
                used = _resident_bytes()
            self._peak = max(self._peak, used)
            self._counters.update()
            if self._stopped.wait(_INTERVAL):
                return

    def _gpu_memory(self) -> int:
        import pynvml

        return sum(pynvml.nvmlDeviceGetMemoryInfo(handle).used for handle in self._gpus)


class _EnergyCounters:
    """Joules since creation: NVML's counters of `gpus`, or RAPL's where `gpus` is None."""

    def __init__(self, gpus: list[Any] | None):
        self._gpus = gpus
        self._packages = _rapl_packages() if gpus is None else []
        self._joules = 0.0
        self._last = self._read()

    def update(self) -> None:
        """Add what was used since the last call."""
        if self._last is None:
            return
        now = self._read()
        if now is None:
            self._last = None
            return
        for (new, limit), (old, _) in zip(now, self._last, strict=True):
            # RAPL's counters start over at a known maximum.
            self._joules += new - old if new >= old else new - old + limit
        self._last = now

    def watt_hours(self) -> float | None:
        return None if self._last is None else self._joules / 3600

    def _read(self) -> list[tuple[float, float]] | None:
        """(counter, its maximum) in joules of every source; None when there is none to read."""
        try:
            if self._gpus is None:
                values = [
                    (int((p / "energy_uj").read_text()) / 1e6, limit) for p, limit in self._packages
                ]
            else:
                import pynvml

                values = [
                    (pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu) / 1e3, 0.0)
                    for gpu in self._gpus
                ]
        except (OSError, ValueError):
            return None
        except Exception as error:  # NVML raises its own classes; no counter is not a failure
            log.info("No energy reading: %s", error)
            return None
        return values or None


def _rapl_packages() -> list[tuple[Path, float]]:
    packages = []
    for path in sorted(_RAPL.glob("*-rapl:[0-9]*")):
        try:
            # Sub-zones (`intel-rapl:0:1`) are part of their package.
            if path.name.count(":") == 1 and os.access(path / "energy_uj", os.R_OK):
                packages.append((path, int((path / "max_energy_range_uj").read_text()) / 1e6))
        except (OSError, ValueError):
            continue
    return packages


def gpu_description(devices: int = 1) -> dict[str, str] | None:
    """Name and driver of the first visible GPU, or None."""
    handles = gpu_handles(devices)
    if not handles:
        return None
    import pynvml

    return {
        "name": str(pynvml.nvmlDeviceGetName(handles[0])),
        "driver": str(pynvml.nvmlSystemGetDriverVersion()),
    }


def free_memory_bytes(device: str) -> int | None:
    """Memory free for a new engine: of the first visible GPU, or of this machine for `cpu`."""
    if device == "cpu":
        return psutil.virtual_memory().available
    handles = gpu_handles(1)
    if not handles:
        return None
    import pynvml

    return int(pynvml.nvmlDeviceGetMemoryInfo(handles[0]).free)


def _resident_bytes() -> int:
    total = 0
    process = psutil.Process()
    for member in [process, *process.children(recursive=True)]:
        try:
            total += member.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


class _Lines:
    """A stream on which a progress bar writes lines instead of returning to the line's start."""

    def write(self, text: str) -> None:
        text = text.strip("\r\n ")
        if text:
            sys.stderr.write(text + "\n")

    def flush(self) -> None:
        sys.stderr.flush()


def progress(total: int, done: int = 0) -> tqdm:
    """A bar over `total` prompts, one line in the log every 10 seconds, with rate and time left.

    Args:
        total: prompts of the job.
        done: prompts that the journal already answers; they don't count in the rate.
    """
    return tqdm(
        total=total,
        initial=done,
        unit="prompt",
        desc="generate",
        mininterval=10,
        maxinterval=10,
        miniters=1,
        ascii=True,
        ncols=120,
        file=_Lines(),
    )


class Stopwatch:
    """Seconds since creation, from a clock that never runs backwards."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def seconds(self) -> float:
        return time.perf_counter() - self._start
