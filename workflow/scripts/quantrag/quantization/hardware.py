"""What a machine must have to run a precision. Asked where the job runs: nobody knows it before."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Hardware:
    """What a precision needs of the device that runs it, beyond what every precision needs.

    Attributes:
        capability: smallest CUDA compute capability, as (major, minor); None where any will do.
        reason: what the capability is needed for.
        avx512: whether a CPU must have AVX-512.
    """

    capability: tuple[int, int] | None = None
    reason: str = ""
    avx512: bool = False

    def gpu_refusal(self, capability: tuple[int, int]) -> str | None:
        """Why a GPU of a compute capability cannot run it, or None."""
        if self.capability is None or tuple(capability) >= tuple(self.capability):
            return None
        return (
            f"compute capability {self.capability[0]}.{self.capability[1]} is needed "
            f"({self.reason}), this GPU has {capability[0]}.{capability[1]}"
        )

    def cpu_refusal(self, flags: Collection[str]) -> str | None:
        """Why a CPU cannot run it, or None.

        Args:
            flags: its instruction sets (`quantrag.runtime.cpu.flags`); where none is known,
                nothing is refused.
        """
        if not self.avx512 or not flags or "avx512f" in flags:
            return None
        return "vLLM's kernel needs a CPU with AVX-512, which this machine's lacks"


#: What every supported device has.
ANY_HARDWARE = Hardware()
