"""The GPUs of a job, asked through NVML, the driver's own library.

`torch.cuda` would do too, but most of its questions initialise CUDA in this process, which takes
memory on the GPU, and which no worker process may inherit: vLLM would then spawn its worker and
import everything a second time.
"""

import logging
import os
from typing import Any

from quantrag.errors import UserError

log = logging.getLogger(__name__)


def gpu_handles(devices: int | None = None) -> list[Any]:
    """NVML's handles of the first visible GPUs; empty where NVML has none to offer.

    Args:
        devices: how many; None for all.
    """
    try:
        import pynvml

        pynvml.nvmlInit()
        if "CUDA_VISIBLE_DEVICES" in os.environ:
            names = [name.strip() for name in os.environ["CUDA_VISIBLE_DEVICES"].split(",")]
        else:
            names = [str(i) for i in range(pynvml.nvmlDeviceGetCount())]
        return [
            pynvml.nvmlDeviceGetHandleByIndex(int(name))
            if name.isdigit()
            else pynvml.nvmlDeviceGetHandleByUUID(name)
            for name in [name for name in names if name][:devices]
        ]
    except Exception as error:  # pynvml is absent, or there is no driver
        log.info("NVML has no GPU: %s", error)
        return []


def require_cuda(device: str) -> None:
    """Check that torch can use a CUDA GPU where one is asked for.

    Args:
        device: `generation.device`, `cuda` or `cpu`.

    Raises:
        UserError: it can't.
    """
    if device != "cuda":
        return
    # Only now: vLLM has to set the environment before anything imports torch.
    import torch

    built = torch.backends.cuda.is_built()
    # Where a container hides NVML, torch can still tell, at the price that is said above.
    if not built or not (gpu_handles(1) or torch.cuda.is_available()):
        raise UserError(
            "generation.device is cuda, but torch sees no CUDA GPU here (driver missing, none "
            "visible in CUDA_VISIBLE_DEVICES, or a CPU build of torch). Ask for a GPU node, or set "
            "generation.device: cpu (small models only)."
        )


def compute_capability() -> tuple[int, int]:
    """CUDA compute capability of the first visible GPU, as (major, minor)."""
    for handle in gpu_handles(1):
        import pynvml

        try:
            return tuple(pynvml.nvmlDeviceGetCudaComputeCapability(handle))
        except pynvml.NVMLError as error:  # an old driver, or a part of a card (MIG)
            log.info("NVML does not know the compute capability: %s", error)
    import torch

    return torch.cuda.get_device_capability()
