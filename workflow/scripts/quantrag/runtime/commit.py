"""Which version of the code runs."""

import subprocess
from pathlib import Path


def git_commit(folder: Path) -> str | None:
    """The commit checked out in `folder` (`-dirty` when tracked files differ); None outside git."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40"]
    command += ["--exclude", "*"]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=30
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
