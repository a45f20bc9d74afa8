"""Install envs/*.lock into the virtual environment .venv, once.

`python3.11 envs/install.py demo dev` leaves an environment that is known to be whole: `.venv/locks`
names the locks that are installed, by content, and is written last. An installation that was
interrupted has no such line and starts over; a changed lock is installed on top. Needs only Python.
`llm-compressor` goes to .venv-llm-compressor: it can't share an environment with vLLM.
"""

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVS = ROOT / "envs"
APART = "llm-compressor"
VENV = ROOT / (f".venv-{APART}" if APART in sys.argv[1:] else ".venv")
MARK = VENV / "locks"
LOG = VENV / "install.log"
PYTHON = VENV / "bin" / "python"
SITE = VENV / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# Versions that build the packages without wheels; packages.toml states them, a test compares.
INSTALLER = ["pip==26.3", "setuptools==78.1.1"]

# Not compiled in advance, a third of all code: tests, and models of which a run needs one or two.
RARELY_USED = (
    "site-packages/(.*/tests?/|vllm/model_executor/models/"
    "|transformers/models/(?!auto/|bert/|llama/))"
)


def stop(message: str) -> None:
    """End with one line on stderr."""
    sys.exit(f"error: {message}")


def content(group: str) -> str:
    """What an installed group depends on, as a line of the mark."""
    parts = [ENVS / f"{group}.lock", ENVS / "pcre.py", Path(__file__)]
    digest = hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()
    return f"{group} {digest}"


def pip(*arguments: str) -> int:
    """Run the environment's pip, everything that it says into the log; its exit status."""
    # Settings of the user's that would install elsewhere or resolve again.
    environment = {**os.environ, "PIP_USER": "0", "PIP_NO_INPUT": "1", "BUILD_CUDA_EXT": "0"}
    environment.pop("PYTHONPATH", None)
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--no-deps"]
    command += ["--no-compile", "--no-build-isolation", "--progress-bar", "off", *arguments]
    with LOG.open("ab") as log:
        return subprocess.run(command, env=environment, stdout=log, stderr=log, cwd=ROOT).returncode


def must(status: int, what: str) -> None:
    """Show the log's end and stop where a step has failed."""
    if status != 0:
        print("".join(LOG.read_text(errors="replace").splitlines(keepends=True)[-15:]))
        stop(f"{what} failed; the whole output: {LOG.relative_to(ROOT)}. Run the command again.")


def install_builds(pins: list, result: list) -> None:
    """CPU builds of PyTorch: from the indexes that pip knows, else from PyTorch's own."""
    result.append(pip(*pins) and pip("--index-url", CPU_INDEX, *pins) if pins else 0)


@contextlib.contextmanager
def progress(total: int):
    """On a terminal, one line that says how many of the packages pip has fetched and installed."""
    if not sys.stdout.isatty() or os.environ.get("CI") or os.environ.get("VERBOSE"):
        yield
        return
    start, done = time.time(), threading.Event()
    before = LOG.stat().st_size if LOG.exists() else 0

    def state() -> str:
        fetched = 0
        if LOG.exists():
            with LOG.open("rb") as log:
                log.seek(before)
                fetched = sum(line.startswith((b"Collecting ", b"Processing ")) for line in log)
        # pip unpacks packages when it has fetched them all.
        fresh = sum(path.stat().st_mtime >= start for path in SITE.glob("*.dist-info"))
        if fresh >= total:
            return f"{total} of {total} installed, compiling them"
        return f"{min(fetched, total)} of {total} fetched, {fresh} installed"

    def show() -> None:
        while not done.wait(0.5):
            seconds = int(time.time() - start)
            print(f"\r  {state()}, {seconds} s\x1b[K", end="", flush=True)

    shown = threading.Thread(target=show, daemon=True)
    shown.start()
    try:
        yield
    finally:
        done.set()
        shown.join()
        print("\r\x1b[K", end="", flush=True)


def install(groups: list) -> None:
    """Bring .venv to the state of the groups' locks."""
    text = "".join((ENVS / f"{group}.lock").read_text() for group in groups)
    pins = [line.partition("#")[0].strip() for line in text.splitlines()]
    pins = [pin for pin in pins if pin]
    builds = [pin for pin in pins if pin.endswith("+cpu")]
    listing = VENV / "pins.txt"
    listing.write_text("".join(f"{pin}\n" for pin in pins if pin not in builds))
    must(pip(*INSTALLER), "installing pip")
    # The largest download goes on beside the others.
    result: list = []
    beside = threading.Thread(target=install_builds, args=(builds, result))
    with progress(len(pins)):
        beside.start()
        status = pip("--requirement", str(listing.relative_to(ROOT)))
        beside.join()
        if status == result[0] == 0:
            finish(groups)
    must(status, "installing the packages")
    must(result[0], f"installing {' '.join(builds)}")


def finish(groups: list) -> None:
    """What pip leaves to do: the module that stands in for a package, and compiled files."""
    if groups != [APART] and not (SITE / "pcre").exists():
        shutil.copy(ENVS / "pcre.py", SITE / "pcre.py")
    # On all cores, where pip would take one. Some packages ship templates that are no Python: those
    # fail, and nothing imports them.
    command = [str(PYTHON), "-m", "compileall", "-q", "-j", "0", "-x", RARELY_USED, str(SITE)]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("groups", nargs="+", choices=["demo", "dev", APART])
    groups = parser.parse_args().groups
    if APART in groups and groups != [APART]:
        stop(f"{APART} has an environment of its own: name it alone.")
    if sys.version_info[:2] != (3, 11):
        stop(f"Python 3.11 is needed; {sys.executable} is {sys.version.split()[0]}.")
    if importlib.util.find_spec("ensurepip") is None:
        stop(f"{sys.executable} lacks venv with pip (on Debian: apt install python3.11-venv).")
    if VENV.exists() and not MARK.exists() and any(VENV.iterdir()):
        stop(f"{VENV.name} exists and was not made by make: move it away.")
    VENV.mkdir(exist_ok=True)
    with MARK.open("a+") as mark:
        # A second `make` waits here for the first, but not on a file system without locks.
        with contextlib.suppress(OSError):
            fcntl.flock(mark, fcntl.LOCK_EX)
        mark.seek(0)
        installed = mark.read().split("\n")
        works = PYTHON.exists() and subprocess.run([str(PYTHON), "-c", ""]).returncode == 0
        if works and all(content(group) in installed for group in groups):
            return
        start = time.monotonic()
        mark.truncate(0)
        if not works or installed == [""]:
            print(f"Creating {VENV.name}", flush=True)
            for path in VENV.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                elif path != MARK:
                    path.unlink()
            subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        print(f"Installing packages (a few minutes; details: {VENV.name}/install.log)", flush=True)
        install(groups)
        mark.write("".join(f"{content(group)}\n" for group in groups))
        print(f"Installed in {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        stop("interrupted; the next run starts over.")
