"""The configuration: checked, completed with its defaults, and typed."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from quantrag.config import experiment as ran_here
from quantrag.config import recorded as recorded_elsewhere
from quantrag.config.experiment import Experiment
from quantrag.config.files import check_files, origin
from quantrag.config.messages import dotted, first_mistake
from quantrag.config.recorded import RecordedExperiment
from quantrag.errors import UserError
from quantrag.section import CommandLineText


def load_config(
    raw: Mapping[str, Any],
    files: Sequence[str | Path] = (),
    command_line: Mapping[str, Any] | None = None,
) -> Experiment | RecordedExperiment:
    """Check a configuration and fill in the defaults.

    Args:
        raw: the configuration as Snakemake merged it.
        files: the files it came from, for the messages; later ones override earlier ones.
        command_line: what `--config` gave, which is in `raw` already. Snakemake hands its values
            over as text.

    Returns:
        With the key `recorded`, an experiment whose answers other programs gave.

    Raises:
        UserError: one line with file, key, what is wrong and what is allowed.
    """
    command_line = command_line or {}
    check_files(files)
    given = _with_text(copy.deepcopy(dict(raw)), command_line)
    kind, of_kind = (
        (RecordedExperiment, recorded_elsewhere) if "recorded" in given else (Experiment, ran_here)
    )
    try:
        experiment = kind.model_validate(given)
    except ValidationError as error:
        path, message = first_mistake(error, kind)
        raise mistake(path, message, files, command_line) from None
    for path, message in of_kind.inconsistencies(experiment):
        raise mistake(path, message, files, command_line)
    return experiment


def mistake(
    path: Sequence[str],
    message: str,
    files: Sequence[str | Path] = (),
    command_line: Mapping[str, Any] | None = None,
) -> UserError:
    """The error about one key of the configuration, in the words that all of them have."""
    return UserError(f"{origin(path, files, command_line or {})}: {dotted(path)}: {message}")


def _with_text(raw: Any, command_line: Mapping[str, Any]) -> Any:
    """The raw configuration with the values of the command line marked as text."""
    if not isinstance(raw, dict):
        return _text(command_line)
    for key, value in command_line.items():
        raw[key] = _with_text(raw.get(key), value) if isinstance(value, Mapping) else _text(value)
    return raw


def _text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _text(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_text(part) for part in value]
    return value if value is None else CommandLineText(value)
