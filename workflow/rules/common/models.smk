# What the rules from checkpoints to generation look up in the config.

from dataclasses import asdict

from quantrag.checkpoints.folder import FINGERPRINTED
from quantrag.quantization.precisions import Precision

PRECISIONS = {name: Precision.of(name, entry) for name, entry in config["precisions"].items()}


def served(precision):
    """The precision whose checkpoint is run: the baseline's in the noise floor's second pass."""
    return PRECISIONS[config["baseline"] if precision == NOISE_FLOOR else precision]


def checkpoint_folder(model):
    """Folder of a model's original checkpoint: tokenizer, chat template and unquantized weights."""
    return f"<resources>/checkpoints/{model}/original"


def checkpoint_of(model, precision):
    """Folder of the checkpoint that an engine loads for a model at a precision."""
    precision = served(precision)
    if precision.method.checkpoint == "original":
        return checkpoint_folder(model)
    base = "<resources>" if precision.published else "<results>"
    return f"{base}/checkpoints/{model}/{precision.name}"


def source_of(model, precision=None):
    """The config's entry that says where an original or a published checkpoint comes from."""
    if precision is None:
        return config["models"][model]["source"]
    return PRECISIONS[precision].checkpoints.get(model, {})


def models_from(*kinds):
    """Constraint of the wildcard `model` to models whose original comes from these kinds of source."""
    return one_of(model for model in config["models"] if source_of(model)["kind"] in kinds)


def precisions_made_by(tool):
    """Constraint of the wildcard `precision` to what one tool quantizes."""
    return one_of(name for name, precision in PRECISIONS.items() if precision.tool == tool)


def calibrated_precisions():
    """Constraint of the wildcard `precision` to those that are calibrated."""
    return one_of(name for name, precision in PRECISIONS.items() if precision.method.calibrated)


def published_precisions():
    """Constraint of the wildcard `precision` to those of others' checkpoints."""
    return one_of(name for name, precision in PRECISIONS.items() if precision.published)


def measured_checkpoints():
    """Model and precision of every checkpoint, for the table of checkpoints."""
    return [(model, precision) for model in config["models"] for precision in PRECISIONS]


def checks_of_original(model):
    """What a model's original checkpoint has to have; parameters of `quantrag.checkpoints.folder.validate`."""
    # Not its context, which `build_prompts` checks: another one is no reason to download again.
    return {
        "chat_template": config["models"][model]["chat_template"] == "model",
        "quantized": False,
    }


def local_files(source):
    """The files of a checkpoint on disk, so that changes there are noticed."""
    if "folder" not in source:
        return []
    folder = Path(source["folder"])
    return sorted({str(path) for pattern in FINGERPRINTED for path in folder.glob(pattern)})


def calibration_of(precision):
    """The calibration settings of a precision."""
    return PRECISIONS[precision].calibration


def calibration_tasks(precision):
    """The tasks that give a precision's calibration texts, in the order of the config."""
    calibration = calibration_of(precision)
    if calibration["source"] != "task":
        return []
    named = calibration["tasks"]
    return [task for task in config["tasks"] if named is None or task in named]


def train_tables(precision, table):
    """The tables of the train splits that a precision's calibration texts are chosen from."""
    tasks = calibration_tasks(precision)
    return [f"<results>/tasks/{task}/train/{table}.parquet" for task in tasks]


def calibration_file(precision):
    """The user's text file that a precision is calibrated on, so that a change is noticed."""
    calibration = calibration_of(precision)
    return [calibration["path"]] if calibration["source"] == "file" else []


def quantization_parameters(precision):
    """The settings that shape the quantized weights; what only the engine reads is left out."""
    return PRECISIONS[precision].parameters


def engine_settings():
    """The section `generation` without the settings of engines that are not used."""
    unused = ENGINES.keys() - {config["generation"]["engine"]}
    return {key: value for key, value in config["generation"].items() if key not in unused}


def formats_of(wildcards):
    """All that a precision may decide about the engine, beside the checkpoint."""
    precision = served(wildcards.precision)
    keys = ("dtype", "kv_cache_dtype", "quantize_on_load")
    return {key: getattr(precision, key) for key in keys}


def support_of(wildcards):
    """How a precision fares on the experiment's engine and device."""
    generation = config["generation"]
    return served(wildcards.precision).support(generation["engine"], generation["device"])


def hardware_needs(wildcards):
    """The hardware that a precision needs; the job asks whether it is there."""
    return asdict(support_of(wildcards).needs)


def checkpoint_origin(wildcards):
    """Where the weights came from and what was done to them, for the completions' provenance."""
    precision = served(wildcards.precision)
    if precision.published:
        return source_of(wildcards.model, precision.name)
    return {**source_of(wildcards.model), "precision": precision.recipe()}
