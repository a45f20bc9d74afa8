"""Where the files of an encoder or tokenizer lie, by its entry in the configuration."""

import importlib.metadata
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quantrag.errors import UserError

Entry = Mapping[str, Any]


def encoder_name(entry: Entry) -> str:
    """Folder name of a downloaded encoder."""
    return re.sub(r"[^\w.-]+", "--", f"{entry['repo']} {entry['revision']}")


def encoder_folder(entry: Entry) -> str | list[str]:
    """Folder of an encoder's files; none for one inside a package, which the script finds."""
    match entry["kind"]:
        case "huggingface":
            return f"<resources>/encoders/{encoder_name(entry)}"
        case "folder":
            return entry["folder"]
        case _:
            return []


def package_folder(package: str, holds: str = "model.safetensors") -> Path:
    """Folder inside an installed Python package that holds a file of a name.

    Raises:
        UserError: the package isn't installed or holds no such file.
    """
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        raise UserError(
            f"The package {package!r} isn't installed: `pip install {package}`."
        ) from None
    for file in sorted(files):
        if file.name == holds:
            return Path(file.locate()).parent
    raise UserError(f"The package {package!r} holds no file {holds}.")
