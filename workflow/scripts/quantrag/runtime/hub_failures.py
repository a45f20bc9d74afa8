"""What a failed download from the Hugging Face Hub means, for checkpoints and data sets."""

import errno
from typing import Any
from urllib.parse import urlsplit

from huggingface_hub import HfApi, constants, set_client_factory
from huggingface_hub.errors import (
    DryRunError,
    FileMetadataError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils._http import default_client_factory

from quantrag.runtime.credentials import redact, secret

#: Seconds without a byte after which a connection counts as broken; the library waits for ever.
_SILENCE = 60.0


def new_client() -> Any:
    """The library's client for HTTP, but not one that waits for ever."""

    def limit(request: Any) -> None:
        given = request.extensions.get("timeout") or {}
        request.extensions["timeout"] = {
            kind: given.get(kind) or _SILENCE for kind in ("connect", "read", "write", "pool")
        }

    client = default_client_factory()
    hooks = client.event_hooks
    client.event_hooks = {**hooks, "request": [*hooks["request"], limit]}
    return client


def explain_data_set(error: BaseException, name: str, revision: str) -> str | None:
    """What a failed download of a data set means, in one line and without any secret.

    The library `datasets` hides what the Hub answered, so the Hub is asked once more.

    Args:
        error: what `datasets` raised.
        name: of the data set on the Hub.
        revision: that was asked for.

    Returns:
        None where it wasn't the download that failed (another split, files of no known format).
    """
    reason: BaseException | None = None
    if constants.HF_HUB_OFFLINE:
        if isinstance(error, ConnectionError | FileNotFoundError):
            reason = OfflineModeIsEnabled()
    else:
        set_client_factory(new_client)
        try:
            api = HfApi(token=secret("HF_TOKEN") or False)
            api.dataset_info(name, revision=revision)
            api.auth_check(name, repo_type="dataset")
        except Exception as own:
            reason = own
    cause: BaseException | None = error
    while reason is None and cause is not None:
        if isinstance(cause, HfHubHTTPError) or _broke(cause):
            reason = cause
        cause = cause.__cause__ or cause.__context__
    if reason is None:
        return None
    return explain(reason, name, revision, page=f"https://huggingface.co/datasets/{name}")[0]


def explain(
    error: BaseException, repo: str, revision: str, page: str | None = None
) -> tuple[str, bool]:
    """What a failed download means and what the user can do about it, without any secret.

    Args:
        error: what the library raised.
        repo: the repository's name.
        revision: that was asked for.
        page: the repository's page, where it isn't a model's.

    Returns:
        One line, and whether the same request may well succeed in a few seconds (the connection
        broke while it ran; the library itself has waited for servers that are down).
    """
    # What the library wraps around the reason.
    while isinstance(error, DryRunError | LocalEntryNotFoundError) and error.__cause__:
        error = error.__cause__
    host = urlsplit(constants.ENDPOINT).hostname or "the Hub"
    page = page or f"https://huggingface.co/{repo}"
    token = "HF_TOKEN is set" if secret("HF_TOKEN") else "HF_TOKEN is not set"
    kind = type(error).__name__
    status = getattr(getattr(error, "response", None), "status_code", None)
    again = "Run again when the network is back: files that are whole are kept."
    passing = False
    match error:
        # Gated is a kind of not found there, so it comes first.
        case GatedRepoError():
            text = (
                f"{repo} is gated: accept its licence at {page} with your account, and put a token "
                f"of that account into the environment variable HF_TOKEN ({token})."
            )
        case RevisionNotFoundError():
            text = f"{repo} has no revision {revision!r}. See {page}/commits."
        case OfflineModeIsEnabled():
            text = f"{repo} must be downloaded, but HF_HUB_OFFLINE is set."
        case HfHubHTTPError() if status == 401 and (
            "credentials" in str(error).lower() or not isinstance(error, RepositoryNotFoundError)
        ):
            text = f"{host} refuses the token while downloading {repo} ({token}). Make a new one."
        case RepositoryNotFoundError():
            text = f"{repo}: no such repository, or a private one ({token}). See {page}."
        case HfHubHTTPError() if status == 403:
            text = (
                f"{host} forbids the download of {repo} (status 403; {token}): the token's "
                f"account has no access, or the token no right to read. See {page}."
            )
        case HfHubHTTPError() if status == 404:
            text = f"{repo} at {revision}: {host} has no such repository or file. See {page}."
        case HfHubHTTPError() if status == 429:
            text = f"{host} is asked too often (status 429) while downloading {repo}. Wait a while."
        case HfHubHTTPError() if status is not None and status >= 500:
            text = f"{repo} could not be downloaded: {host} is busy or down (status {status}). "
            text += again
        case FileMetadataError():
            text = (
                f"{repo} could not be downloaded: {host} (or a proxy before it) leaves out the "
                "ETag or the commit of a file. Check HF_ENDPOINT and the proxy."
            )
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            text = f"{repo} could not be downloaded: no space left on the disk."
        case PermissionError():
            text = f"{repo} could not be downloaded: {error.strerror}: {error.filename}"
        case ValueError() if "json" in kind.lower():
            text = (
                f"{repo} could not be downloaded: {host} answers with something other than JSON "
                "(a page to log in, or a proxy's). Check the network, HF_ENDPOINT and the proxy."
            )
        case _ if kind == "TooManyRedirects":
            text = (
                f"{repo} could not be downloaded: {host} redirects in a circle. Check the network, "
                "HF_ENDPOINT and the proxy."
            )
        # Of whichever library for HTTP that the Hub's uses.
        case _ if kind in ("ConnectError", "ConnectTimeout", "ProxyError", "ReadTimeout"):
            text = f"{repo} could not be downloaded: {host} can't be reached ({kind}). {again}"
        case _ if _broke(error):
            text = f"{repo} could not be downloaded: the connection to {host} broke ({kind}). "
            text += again
            passing = True
        case _:
            first = (str(error).strip().splitlines() or ["no message"])[0]
            text = f"{repo} could not be downloaded from {host}: {kind}: {first}"
    return redact(text), passing


def _broke(error: BaseException) -> bool:
    """Whether a connection broke while it was used: a body cut off, reset, or silent for long."""
    names = {base.__name__ for base in type(error).__mro__}
    broken = {"TransportError", "DecodingError", "StreamError", "ChunkedEncodingError"}
    return (
        bool(names & broken)
        or isinstance(error, ConnectionError | TimeoutError)
        or (
            # What the library raises where fewer bytes arrived than were announced.
            isinstance(error, OSError) and "Consistency check failed" in str(error)
        )
    )
