"""What the rules from checkpoints to generation look up about models and precisions."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from quantrag.checkpoints.folder import FINGERPRINTED
from quantrag.config.experiment import Experiment
from quantrag.names import NOISE_FLOOR
from quantrag.plan.wildcards import one_of
from quantrag.quantization.compatibility import Support
from quantrag.quantization.precisions import Precision


class CheckpointPlan:
    """The models and precisions of an experiment.

    Attributes:
        precisions: every precision by its name, in the order of the config.
        pairs: model and precision of every checkpoint that is measured.
    """

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._models = {name: entry.model_dump() for name, entry in experiment.models.items()}
        self.precisions = {
            name: Precision.of(name, entry.model_dump())
            for name, entry in experiment.precisions.items()
        }
        self.pairs = [(model, name) for model in self._models for name in self.precisions]

    def served(self, precision: str) -> Precision:
        """The precision whose checkpoint is run: the baseline's in the noise floor's pass."""
        name = self._experiment.baseline if precision == NOISE_FLOOR else precision
        return self.precisions[name]

    def original(self, model: str) -> str:
        """Folder of a model's original checkpoint: tokenizer, template, unquantized weights."""
        return f"<resources>/checkpoints/{model}/original"

    def folder(self, model: str, precision: str) -> str:
        """Folder of the checkpoint that an engine loads for a model at a precision."""
        served = self.served(precision)
        if served.method.checkpoint == "original":
            return self.original(model)
        base = "<resources>" if served.published else "<results>"
        return f"{base}/checkpoints/{model}/{served.name}"

    def source(self, model: str, precision: str | None = None) -> dict[str, Any]:
        """The config's entry that says where an original or a published checkpoint comes from."""
        if precision is None:
            return self._models[model]["source"]
        return self.precisions[precision].checkpoints.get(model, {})

    def local_files(self, model: str, precision: str | None = None) -> list[str]:
        """The files of a checkpoint on disk, so that changes there are noticed."""
        source = self.source(model, precision)
        if "folder" not in source:
            return []
        folder = Path(source["folder"])
        return sorted({str(path) for pattern in FINGERPRINTED for path in folder.glob(pattern)})

    def checks_of_original(self, model: str) -> dict[str, bool]:
        """What a model's original checkpoint has to have, for `checkpoints.folder.validate`.

        Not its context, which `build_prompts` checks: a changed one downloads nothing again.
        """
        has_template = self._models[model]["chat_template"] == "model"
        return {"chat_template": has_template, "quantized": False}

    def models_from(self, *kinds: str) -> str:
        """Constraint of the wildcard `model` to models whose original comes from these sources."""
        return one_of(model for model in self._models if self.source(model)["kind"] in kinds)

    def made_by(self, tool: str) -> str:
        """Constraint of the wildcard `precision` to what one tool quantizes."""
        return one_of(name for name, one in self.precisions.items() if one.tool == tool)

    @property
    def calibrated(self) -> str:
        """Constraint of the wildcard `precision` to those that are calibrated."""
        return one_of(name for name, one in self.precisions.items() if one.method.calibrated)

    @property
    def published(self) -> str:
        """Constraint of the wildcard `precision` to those of others' checkpoints."""
        return one_of(name for name, one in self.precisions.items() if one.published)

    def calibration_tasks(self, precision: str) -> list[str]:
        """The tasks that give a precision's calibration texts, in the order of the config."""
        calibration = self.precisions[precision].calibration
        if calibration["source"] != "task":
            return []
        named = calibration["tasks"]
        return [task for task in self._experiment.tasks if named is None or task in named]

    def train_tables(self, precision: str, table: str) -> list[str]:
        """The tables of the train splits that a precision's calibration texts are chosen from."""
        tasks = self.calibration_tasks(precision)
        return [f"<results>/tasks/{task}/train/{table}.parquet" for task in tasks]

    def calibration_corpora(self, precision: str) -> list[str]:
        """The documents of the corpora that a precision's calibration texts are chosen from."""
        calibration = self.precisions[precision].calibration
        if calibration["source"] != "corpus":
            return []
        return [
            f"<results>/tasks/{name}/documents.parquet"
            for name, task in self._experiment.tasks.items()
            if task.kind == "questions" and name in (calibration["tasks"] or [name])
        ]

    def calibration_file(self, precision: str) -> list[str]:
        """The user's text file that a precision is calibrated on, so that a change is noticed."""
        calibration = self.precisions[precision].calibration
        return [calibration["path"]] if calibration["source"] == "file" else []

    def formats(self, precision: str) -> dict[str, Any]:
        """All that a precision may decide about the engine, beside the checkpoint."""
        served = self.served(precision)
        keys = ("dtype", "kv_cache_dtype", "quantize_on_load")
        return {key: getattr(served, key) for key in keys}

    def support(self, precision: str) -> Support:
        """How a precision fares on the experiment's engine and device."""
        generation = self._experiment.generation
        return self.served(precision).support(generation.engine, generation.device)

    def hardware_needs(self, precision: str) -> dict[str, Any]:
        """The hardware that a precision needs; the job asks whether it is there."""
        return asdict(self.support(precision).needs)

    def origin(self, model: str, precision: str) -> dict[str, Any]:
        """Where the weights came from and what was done to them, for completions' provenance."""
        served = self.served(precision)
        if served.published:
            return self.source(model, served.name)
        return {**self.source(model), "precision": served.recipe()}
