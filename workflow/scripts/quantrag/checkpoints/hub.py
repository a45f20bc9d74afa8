"""Checkpoints from the Hugging Face Hub: one pinned revision, safetensors and tokenizer only."""

import logging
import re
import shutil
import time
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from huggingface_hub import constants, set_client_factory, snapshot_download
from huggingface_hub.errors import (
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
)

from quantrag.checkpoints.folder import FINGERPRINTED
from quantrag.errors import UserError
from quantrag.runtime.credentials import secret
from quantrag.runtime.hub_failures import explain, new_client

log = logging.getLogger(__name__)

#: What is downloaded: weights in safetensors, the tokenizer, the configuration, and what a
#: sentence-transformers model says of itself.
ALLOW = (
    *FINGERPRINTED,
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "*Pooling*/config.json",
)
#: What is not, though it matches: other formats in subfolders, the second copy of all weights in
#: Mistral's own format, and adapters.
IGNORE = ("*/*.safetensors*", "tokenizer*/*", "consolidated*", "adapter_*")
#: Tries of a download whose connection breaks, each going on where the last one stopped, and the
#: pause after the first one, in seconds, which doubles.
TRIES = 4
_PAUSE = 2.0
_COMMIT = re.compile(r"[0-9a-f]{40}")


def download(repo: str, revision: str, folder: Path) -> None:
    """Download a repository's checkpoint into a folder; what an earlier attempt finished stays.

    A file whose connection breaks goes on where it broke, as long as this process runs; a later one
    starts the file anew (the library gives every process a partial file of its own).

    The access token is taken only from the environment variable HF_TOKEN. With HF_HUB_OFFLINE set
    nothing is downloaded: what the Hub's own cache has of the revision is linked.

    Args:
        repo: `owner/name`.
        revision: commit hash; a branch or tag works, with a warning.
        folder: existing folder, on the disk that keeps the checkpoint.

    Raises:
        UserError: the repository or revision does not exist, is gated, cannot be reached, has no
            safetensors, or does not fit on the disk; or HF_HUB_OFFLINE is set and it isn't cached.
    """
    if constants.HF_HUB_OFFLINE:
        _link_cached(repo, revision, folder)
        return
    if not _COMMIT.fullmatch(revision):
        log.warning(
            "%s: revision %r is not a commit hash; what it names can change", repo, revision
        )
    options = {
        "repo_id": repo,
        "revision": revision,
        "local_dir": folder,
        "allow_patterns": list(ALLOW),
        "ignore_patterns": list(IGNORE),
        "token": secret("HF_TOKEN") or False,
    }
    files = _ask(options, dry_run=True)
    _check_weights(repo, revision, [file.filename for file in files])
    needed = sum(file.file_size for file in files if file.will_download)
    check_space(folder, needed)
    log.info("downloading %.2f GB of %s at %s", needed / 1e9, repo, revision)
    _ask(options)
    # Where the Hub stops answering halfway, the library takes what is there for the whole.
    lacking = [
        file.filename
        for file in files
        if not (folder / file.filename).is_file()
        or (folder / file.filename).stat().st_size != file.file_size
    ]
    if lacking:
        raise UserError(
            f"{repo} at {revision}: {len(lacking)} files are not whole after the download "
            f"({lacking[0]}). Run again: those that are whole are kept."
        )
    shutil.rmtree(folder / ".cache", ignore_errors=True)


def _ask(options: dict[str, Any], dry_run: bool = False) -> list[Any]:
    """What `snapshot_download` gives; asked again where only the connection broke.

    Raises:
        UserError: it failed, with the reason. Whatever the library raises becomes one: its
            exceptions come from three other libraries, and hold the request with its headers.
    """
    repo, revision = options["repo_id"], options["revision"]
    set_client_factory(new_client)
    for attempt in range(1, TRIES + 1):
        try:
            return snapshot_download(**options, **({"dry_run": True} if dry_run else {}))
        except Exception as error:
            message, passing = explain(error, repo, revision)
            if not passing or attempt == TRIES:
                tries = f" (tried {attempt} times)" if attempt > 1 else ""
                raise UserError(message + tries) from None
        seconds = _PAUSE * 2 ** (attempt - 1)
        log.warning("%s Trying again in %.0f s.", message, seconds)
        time.sleep(seconds)
    raise AssertionError("unreachable")


def _check_weights(repo: str, revision: str, names: list[str]) -> None:
    if not any(name.endswith(".safetensors") for name in names):
        raise UserError(
            f"{repo} at {revision} has no .safetensors file. Pickled weights are not loaded, "
            "because they can run code: take a revision or a copy in safetensors (the Hub's "
            "converter offers one as refs/pr/N for many repositories)."
        )


def _link_cached(repo: str, revision: str, folder: Path) -> None:
    """Link a checkpoint's files from the Hub's cache (HF_HUB_CACHE) into a folder."""
    try:
        cached = Path(snapshot_download(repo, revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, OfflineModeIsEnabled):
        raise UserError(
            f"{repo} at {revision} must be downloaded, but HF_HUB_OFFLINE is set and the cache "
            f"{constants.HF_HUB_CACHE} doesn't have it."
        ) from None
    names = [
        name
        for name in sorted(str(path.relative_to(cached)) for path in cached.rglob("*.*"))
        if any(fnmatch(name, pattern) for pattern in ALLOW)
        and not any(fnmatch(name, pattern) for pattern in IGNORE)
    ]
    _check_weights(repo, revision, names)
    for name in names:
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        target.unlink(missing_ok=True)
        target.symlink_to((cached / name).resolve())
    log.info("%s at %s: linked from %s", repo, revision, cached)


def check_space(folder: Path, needed: int) -> None:
    """Raise UserError when the folder's disk has less free space than `needed` bytes."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{folder.parent}: {needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free."
        )
