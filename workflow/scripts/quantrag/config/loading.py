"""The configuration: checked against the JSON Schema, completed with its defaults.

The schemas under `workflow/schemas/` are the one source of allowed keys, types, defaults and their
description; `config/README.md` is generated from them (`quantrag.config.reference`).
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from quantrag.config.messages import choices, describe, dotted, most_specific, origin
from quantrag.config.schema import ROOT_SCHEMA, load_schema, validator, with_defaults
from quantrag.errors import UserError
from quantrag.quantization.precisions import Precision


def load_config(raw: Mapping[str, Any], files: Sequence[str | Path] = ()) -> dict[str, Any]:
    """Check a configuration and fill in the defaults.

    Args:
        raw: the configuration as Snakemake merged it.
        files: the files it came from, for the messages; later ones override earlier ones.

    Returns:
        A new dict with every default applied and the values of `k` as strings.

    Raises:
        UserError: one line with file, key, what is wrong and what is allowed.
    """
    raw = copy.deepcopy(dict(raw))
    errors = [most_specific(error) for error in validator().iter_errors(raw)]
    if errors:
        error = min(
            errors,
            key=lambda e: (e.validator != "additionalProperties", list(map(str, e.absolute_path))),
        )
        path, message = describe(error)
        raise UserError(f"{origin(path, files)}: {dotted(path)}: {message}")
    config = with_defaults(raw, load_schema(ROOT_SCHEMA))
    config["k"] = [str(k) for k in config["k"]]
    for path, message in inconsistencies(config):
        raise UserError(f"{origin(path, files)}: {dotted(path)}: {message}")
    return config


def inconsistencies(config: Mapping[str, Any]) -> Iterable[tuple[list[str], str]]:
    """What no schema can say, since it concerns several keys. Yields (path, message)."""
    precisions = config["precisions"]
    if config["baseline"] not in precisions:
        yield (
            ["baseline"],
            f"{config['baseline']!r} is no precision" + choices(config["baseline"], precisions),
        )
    if not any(k != "0" for k in config["k"]):
        yield ["k"], "only 0: nothing would be retrieved. Allowed: at least one k above 0"
    for task, entry in config["tasks"].items():
        source = entry["source"]
        if source["kind"] == "demo" and source["smallest_profile"] > source["largest_profile"]:
            path = ["tasks", task, "source", "smallest_profile"]
            allowed = f"at most largest_profile, {source['largest_profile']}"
            yield path, f"{source['smallest_profile']} is too large. Allowed: {allowed}"
    generation = config["generation"]
    for model, entry in config["models"].items():
        if generation["max_new_tokens"] >= entry["context"]:
            allowed = f"less than the context of {model}, {entry['context']}"
            message = f"{generation['max_new_tokens']} is too large. Allowed: {allowed}"
            yield ["generation", "max_new_tokens"], message
    where = generation["engine"], generation["device"]
    for precision, entry in precisions.items():
        if refusal := Precision.of(precision, entry).support(*where).refusal:
            yield ["precisions", precision], refusal
        for task in entry.get("calibration", {}).get("tasks") or []:
            if task not in config["tasks"]:
                path = ["precisions", precision, "calibration", "tasks"]
                yield path, f"{task!r} is no task" + choices(task, config["tasks"])
        calibration = entry.get("calibration")
        if calibration and calibration["source"] != "task" and calibration["path"] is None:
            path = ["precisions", precision, "calibration"]
            yield path, f"source {calibration['source']} needs the key 'path'"
        published = entry.get("checkpoints", {})
        path = ["precisions", precision, "checkpoints"]
        for model in published:
            if model not in config["models"]:
                yield [*path, model], f"{model!r} is no model" + choices(model, config["models"])
        missing = (
            sorted(config["models"].keys() - published) if entry["method"] == "published" else []
        )
        if missing:
            yield path, f"no checkpoint of {', '.join(missing)}: every model needs one"
