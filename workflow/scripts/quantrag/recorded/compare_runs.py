"""From the folders of several runs to a configuration that compares them: `make compare`.

`python workflow/scripts/quantrag/recorded/compare_runs.py CONFIG RUN RUN...` writes it. Each run is
the folder of one model's logs, of lm-evaluation-harness or inspect_ai; the first is the baseline.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

if __name__ == "__main__":
    # Run as a file: the package's parent folder takes the place of the script's own.
    sys.path[0] = str(Path(__file__).parents[2])

from quantrag.errors import UserError
from quantrag.names import NOISE_FLOOR
from quantrag.recorded import inspect_ai, lm_eval
from quantrag.recorded.record import read_json


def configuration(
    name: str, runs: Sequence[str | Path], again: str | Path | None = None
) -> tuple[dict[str, Any], list[str]]:
    """The configuration that compares some runs, and what it leaves out, in words.

    Args:
        name: of the experiment.
        runs: a folder of logs each, the baseline's first. A run is called as its folder is, and
            stands where a precision does.
        again: a second run of the baseline, for the noise floor.

    Raises:
        UserError: fewer than two runs, a folder without logs, runs of different formats or without
            a common task.
    """
    if len(runs) < 2:
        raise UserError("two folders of logs are needed, the baseline's first.")
    names = _run_names([Path(run) for run in runs])
    if again is not None:
        names = [*names, NOISE_FLOOR]
    found = [_logs(Path(run)) for run in [*runs, *([again] if again is not None else [])]]
    formats = {format for format, _, _ in found}
    if len(formats) > 1:
        raise UserError(f"the runs have different formats: {' and '.join(sorted(formats))}.")
    tasks = [task for task in found[0][2] if all(task in own for _, _, own in found)]
    if not tasks:
        own_tasks = zip(names, (own for _, _, own in found), strict=True)
        listed = "; ".join(f"{run}: {', '.join(own)}" for run, own in own_tasks)
        raise UserError(f"no task is in every run ({listed}).")
    others = sorted({task for _, _, own in found for task in own} - set(tasks))
    notes = [f"left out, since not every run has it: {task}" for task in others]
    config = {
        "experiment": name,
        "baseline": names[0],
        "tasks": {_name(task): {"kind": "recorded", "answer": "score"} for task in tasks},
        "recorded": {
            "format": found[0][0],
            "results": [
                {
                    "model": _name(found[0][1]),
                    "precision": run,
                    "task": _name(task),
                    # Braces in a path would be read as places.
                    "files": [re.sub(r"([{}])", r"\1\1", str(file)) for file in own[task]],
                }
                for run, (_, _, own) in zip(names, found, strict=True)
                for task in tasks
            ],
        },
    }
    return config, notes


def _logs(folder: Path) -> tuple[str, str, dict[str, list[Path]]]:
    """Format, model and the files of each task in a folder and those below it."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder.")
    tasks: dict[str, list[Path]] = {}
    samples = [path for path in sorted(folder.rglob("samples_*.jsonl")) if lm_eval.task_of(path)]
    if samples:
        for path in samples:
            tasks.setdefault(str(lm_eval.task_of(path)), []).append(path)
        results = next(iter(sorted(folder.rglob("results_*.json"))), None)
        said = read_json(results).get("model_name") if results else None
        return "lm-eval", Path(said or samples[0].parent.name).name, tasks
    model = ""
    for path in sorted([*folder.rglob("*.eval"), *folder.rglob("*.json")]):
        try:
            header = inspect_ai.read_header(path)["eval"]
        except UserError:
            # Other JSON files may lie there; a broken archive is one that the user counts on.
            if path.suffix == ".eval":
                raise
            continue
        tasks.setdefault(header["task"].rpartition("/")[2], []).append(path)
        model = model or header["model"].rpartition("/")[2]
    if not tasks:
        raise UserError(
            f"{folder}: no logs. Known: samples_*.jsonl of lm-evaluation-harness (--log_samples), "
            ".eval and .json logs of inspect_ai."
        )
    return "inspect", model, tasks


def _run_names(runs: Sequence[Path]) -> list[str]:
    """Names of the folders, with those above them where two are called the same."""
    parts = [[_name(part) for part in run.resolve().parts[1:]] for run in runs]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["-".join(own[-depth:]) for own in parts]
        if len(set(names)) == len(names):
            return names
    raise UserError("a run stands twice among the folders.")


def _name(text: str) -> str:
    """A text as a name of the configuration."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._") or "model"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the configuration, and say where."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, help="the file to write; its stem is the experiment")
    parser.add_argument("runs", nargs="*", help="folders of logs, the baseline's first")
    parser.add_argument("--again", help="folder of a second run of the baseline")
    given = parser.parse_args(arguments)
    try:
        config, notes = configuration(given.config.stem, given.runs, given.again)
    except UserError as error:
        sys.exit(f"error: {error}")
    for note in notes:
        print(note, file=sys.stderr)
    given.config.parent.mkdir(parents=True, exist_ok=True)
    given.config.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    main()
