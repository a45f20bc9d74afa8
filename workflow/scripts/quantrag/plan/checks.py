"""What is checked of this machine before any job, where the jobs run on it."""

from collections.abc import Collection, Iterable

from quantrag.errors import UserError
from quantrag.plan.plan import Plan


def check_processor(plan: Plan, precisions: Iterable[str], flags: Collection[str]) -> None:
    """Check that this machine's processor can run what is to be generated on it.

    On a cluster each job asks for itself, where it runs: a login node says nothing of the others.

    Args:
        plan: of the experiment.
        precisions: what `generate` is about to run.
        flags: the processor's instruction sets, as `quantrag.runtime.cpu.flags` gives them.

    Raises:
        UserError: it lacks instructions that a precision needs.
    """
    for precision in precisions:
        refusal = plan.checkpoints.support(precision).needs.cpu_refusal(flags)
        if plan.on_cpu and refusal:
            raise UserError(f"precisions.{precision}: {refusal}; leave it out.")
