"""What every rule's script shares: logging, and errors that a reader can use."""

import contextlib
import logging
import os
import pwd
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

from quantrag.errors import UserError
from quantrag.runtime.credentials import RedactingFormatter, redact
from quantrag.runtime.gpu_lease import leased_gpus


@contextlib.contextmanager
def job(snakemake) -> Iterator[None]:
    """Run the body of a rule's script, with its output and errors in the rule's log file.

    Everything that the body, its libraries and its child processes print goes to the log (the
    file descriptors are redirected, because compiled code does not write through `sys.stdout`).
    Of a `UserError` only the message is logged, of any other exception the traceback too. Both
    also give one line on the terminal that names the log file, and exit status 1. What is logged
    goes through `credentials.redact`: no token or key ever stands in a log.

    Threads wait for each other asleep, unless `OMP_WAIT_POLICY` says otherwise: OpenMP's default is
    to spin, which takes the processor from whatever else runs on it, other jobs of the workflow
    first of all, and slows the job itself down many times there.

    The body sees as many GPUs as its rule asks for, and no other job sees them meanwhile.

    Args:
        snakemake: the object that Snakemake hands to a script; `log`, `rule` and `resources` are
            used.
    """
    path = Path(snakemake.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    # Read when a compiled library is loaded, so before the body imports any.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    _name_user()
    terminal = os.fdopen(os.dup(2), "w", buffering=1)
    with open(path, "w", buffering=1) as stream:
        sys.stdout.flush()
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
        handler = logging.StreamHandler()
        handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
        try:
            # Before the body's imports: CUDA is told once which GPUs there are.
            with leased_gpus(snakemake.resources.get("gpu", 0)):
                yield
        except UserError as error:
            print(redact(f"error: {error}"), file=sys.stderr)
            _report(terminal, snakemake.rule, error, path)
            sys.exit(1)
        except Exception as error:
            print(redact(traceback.format_exc()), file=sys.stderr)
            _report(terminal, snakemake.rule, f"{type(error).__name__}: {error}", path)
            sys.exit(1)


def _name_user() -> None:
    """Give a user whose id has no name (in a container, say) one, and a home.

    PyTorch and others ask for them to name their caches, and stop where there are none.
    """
    user = os.getuid()
    try:
        pwd.getpwuid(user)
    except KeyError:
        for variable in ("LOGNAME", "USER"):
            os.environ.setdefault(variable, f"user{user}")
        if not os.access(os.path.expanduser("~"), os.W_OK):
            os.environ["HOME"] = tempfile.mkdtemp(prefix="quantrag-home-")


def _report(terminal, rule: str, message: object, log_path: Path) -> None:
    first_line = (redact(str(message)).splitlines() or ["(no message)"])[0]
    print(f"{rule}: {first_line} (log: {log_path})", file=terminal)
