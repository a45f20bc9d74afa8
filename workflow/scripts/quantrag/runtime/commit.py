"""Which version of the code runs."""

import os
import re
import subprocess
from pathlib import Path

#: Holds the commit in an archive that git (or GitHub) made; see .gitattributes.
_OF_ARCHIVE = Path("workflow/scripts/quantrag/runtime/archive_commit.txt")
#: Set in the container, which has no git folder.
_VARIABLE = "QUANTRAG_COMMIT"


def git_commit(folder: Path = Path(__file__).parent) -> str | None:
    """The commit of this project's code, 40 hexadecimal digits; None where it isn't known.

    That of the checkout (`-dirty` when tracked files differ), of the archive that the code comes
    from, or of the container's image. Never that of another repository: neither one around the
    project's folder, nor one that git's own variables (`GIT_DIR`, set in a git hook) name.

    Args:
        folder: a folder of the project; its root is the nearest one above with a `Snakefile`.
    """
    folder = folder.resolve()
    root = next((p for p in (folder, *folder.parents) if (p / "Snakefile").is_file()), folder)
    if (root / ".git").exists():
        return _of_checkout(root)
    try:
        text = (root / _OF_ARCHIVE).read_text(encoding="utf-8")
    except OSError:
        text = ""
    for candidate in (text, os.environ.get(_VARIABLE, "")):
        if re.fullmatch(r"[0-9a-f]{40}(-dirty)?", candidate.strip()):
            return candidate.strip()
    return None


def _of_checkout(root: Path) -> str | None:
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"]
    command += ["--exclude", "*"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=30, env=environment
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
