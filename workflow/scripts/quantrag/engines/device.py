"""The device that an engine computes on, checked where the job runs."""

from quantrag.engines.base import EngineSpec
from quantrag.errors import UserError
from quantrag.runtime.cpu import flags
from quantrag.runtime.gpu import compute_capability, require_cuda


def check_device(spec: EngineSpec) -> None:
    """Check that this machine has the device that a spec asks for, with what its precision needs.

    Raises:
        UserError: there is no such GPU, or the precision can't run on this GPU or CPU.
    """
    require_cuda(spec.device)
    if spec.device == "cuda":
        refusal = spec.needs.gpu_refusal(compute_capability())
    else:
        refusal = spec.needs.cpu_refusal(flags())
    if refusal:
        raise UserError(f"precision {spec.precision}: {refusal}.")
