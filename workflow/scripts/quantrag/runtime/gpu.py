"""Whether this machine has the GPU that the configuration asks for."""

from quantrag.errors import UserError


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

    if not torch.cuda.is_available():
        raise UserError(
            "generation.device is cuda, but torch sees no CUDA GPU here (driver missing, none "
            "visible in CUDA_VISIBLE_DEVICES, or a CPU build of torch). Ask for a GPU node, or set "
            "generation.device: cpu (small models only)."
        )


def compute_capability() -> tuple[int, int]:
    """CUDA compute capability of the first visible GPU, as (major, minor)."""
    import torch

    return torch.cuda.get_device_capability()
