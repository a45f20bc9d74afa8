"""Checkpoints from the Hugging Face Hub: one pinned revision, safetensors and tokenizer only."""

import logging
import os
import re
import shutil
from fnmatch import fnmatch
from pathlib import Path

import httpx
from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from quantrag.checkpoints.folder import FINGERPRINTED
from quantrag.errors import UserError

log = logging.getLogger(__name__)

#: What is downloaded: weights in safetensors, the tokenizer and the configuration.
ALLOW = (*FINGERPRINTED, "sentence_bert_config.json", "modules.json")
#: What is not, though it matches: other formats in subfolders, and the second copy of all weights
#: in Mistral's own format.
IGNORE = ("*/*", "consolidated*")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def download(repo: str, revision: str, folder: Path) -> None:
    """Download a repository's checkpoint into a folder; goes on where an earlier attempt stopped.

    The access token is taken from the environment variable HF_TOKEN alone. With HF_HUB_OFFLINE set
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
        log.warning("%s: revision %r is no commit hash; what it names can change", repo, revision)
    options = {
        "repo_id": repo,
        "revision": revision,
        "local_dir": folder,
        "allow_patterns": list(ALLOW),
        "ignore_patterns": list(IGNORE),
        "token": os.environ.get("HF_TOKEN") or False,
    }
    try:
        files = snapshot_download(**options, dry_run=True)
        _check_weights(repo, revision, [file.filename for file in files])
        needed = sum(file.file_size for file in files if file.will_download)
        check_space(folder, needed)
        log.info("downloading %.2f GB of %s at %s", needed / 1e9, repo, revision)
        snapshot_download(**options)
    except (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        httpx.HTTPError,
    ) as error:
        raise UserError(explain(error, repo, revision)) from error
    shutil.rmtree(folder / ".cache", ignore_errors=True)


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
    paths = [
        path
        for path in sorted(cached.iterdir())
        if any(fnmatch(path.name, pattern) for pattern in ALLOW)
        and not any(fnmatch(path.name, pattern) for pattern in IGNORE)
    ]
    _check_weights(repo, revision, [path.name for path in paths])
    for path in paths:
        target = folder / path.name
        target.unlink(missing_ok=True)
        target.symlink_to(path.resolve())
    log.info("%s at %s: linked from %s", repo, revision, cached)


def check_space(folder: Path, needed: int) -> None:
    """Raise UserError when the folder's disk has less free space than `needed` bytes."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{folder.parent}: {needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free."
        )


def explain(error: Exception, repo: str, revision: str) -> str:
    """What a failed download means and what the user can do about it."""
    page = f"https://huggingface.co/{repo}"
    token = "HF_TOKEN is set" if os.environ.get("HF_TOKEN") else "HF_TOKEN is not set"
    match error:
        # Gated is a kind of not found there, so it comes first.
        case GatedRepoError():
            return (
                f"{repo} is gated: accept its licence at {page} with your account, and put a token "
                f"of that account into the environment variable HF_TOKEN ({token})."
            )
        case RepositoryNotFoundError():
            return f"{repo}: no such repository, or a private one ({token}). See {page}."
        case RevisionNotFoundError():
            return f"{repo} has no revision {revision!r}. See {page}/commits."
        case OfflineModeIsEnabled():
            return f"{repo} must be downloaded, but HF_HUB_OFFLINE is set."
        case HfHubHTTPError() if error.response is not None and error.response.status_code == 401:
            return f"the Hub refuses the token while downloading {repo} ({token})."
        case _:
            return f"{repo} could not be downloaded: {type(error).__name__}: {error}"
