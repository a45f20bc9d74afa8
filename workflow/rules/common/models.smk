# What the rules from checkpoints to generation look up in the config.

from quantrag.quantization.compatibility import needed_capability

# Methods by the tool that carries them out, and all that make a checkpoint of our own.
LLM_COMPRESSOR = ("awq", "w8a8", "fp8")
CALIBRATED = ("gptq", *LLM_COMPRESSOR)
# The original checkpoint as it is, or quantized whenever it is loaded.
FROM_ORIGINAL = ("none", "nf4")

from quantrag.checkpoints.folder import FINGERPRINTED


def checkpoint_folder(model):
    """Folder of a model's original checkpoint: tokenizer, chat template and unquantized weights."""
    return f"<resources>/checkpoints/{model}/original"


def checkpoint_of(model, precision):
    """Folder of the checkpoint that an engine loads for a model at a precision."""
    if precision == NOISE_FLOOR:
        precision = config["baseline"]
    method = config["precisions"][precision]["method"]
    if method in FROM_ORIGINAL:
        return checkpoint_folder(model)
    base = "<resources>" if method == "published" else "<results>"
    return f"{base}/checkpoints/{model}/{precision}"


def source_of(model, precision=None):
    """The config's entry that says where an original or a published checkpoint comes from."""
    if precision is None:
        return config["models"][model]["source"]
    return config["precisions"][precision]["checkpoints"].get(model, {})


def models_from(*kinds):
    """Constraint of the wildcard `model` to models whose original comes from these kinds of source."""
    return one_of(model for model in config["models"] if source_of(model)["kind"] in kinds)


def precisions_by(*methods):
    """Constraint of the wildcard `precision` to the precisions of some methods."""
    precisions = config["precisions"].items()
    return one_of(precision for precision, entry in precisions if entry["method"] in methods)


def gptq_precisions(tool):
    """Constraint of the wildcard `precision` to what one tool quantizes with GPTQ."""
    precisions = config["precisions"].items()
    return one_of(precision for precision, entry in precisions if entry.get("tool") == tool)


def measured_checkpoints():
    """Model and precision of every checkpoint, for the table of checkpoints."""
    return [(model, precision) for model in config["models"] for precision in config["precisions"]]


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
    return config["precisions"][precision]["calibration"]


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


def lamps_of(tasks):
    """The number of each task's LaMP layout, by the task's name."""
    return {task: config["tasks"][task]["lamp"] for task in tasks}


def quantization_parameters(precision):
    """The settings that shape the quantized weights; what only the engine reads is left out."""
    return {
        key: value
        for key, value in config["precisions"][precision].items()
        if key not in ("method", "tool", "calibration", "dtype", "kv_cache_dtype")
    }


def served_precision(wildcards):
    """The precision whose checkpoint is run: the baseline's in the noise floor's second pass."""
    return config["baseline"] if wildcards.precision == NOISE_FLOOR else wildcards.precision


def engine_settings():
    """The section `generation` without the settings of engines that are not used."""
    unused = {"vllm", "transformers", "openai"} - {config["generation"]["engine"]}
    return {key: value for key, value in config["generation"].items() if key not in unused}


def number_formats(wildcards):
    """All that a precision may decide about the engine, beside the checkpoint."""
    entry = config["precisions"][served_precision(wildcards)]
    return {key: entry[key] for key in ("method", "dtype", "kv_cache_dtype")}


def capability_of(wildcards):
    """The CUDA compute capability that a precision needs: major, minor and what for; or None."""
    entry, generation = config["precisions"][served_precision(wildcards)], config["generation"]
    return needed_capability(entry, generation["engine"], generation["device"])


def checkpoint_origin(wildcards):
    """Where the weights came from and what was done to them, for the completions' provenance."""
    precision = served_precision(wildcards)
    entry = config["precisions"][precision]
    if entry["method"] == "published":
        return source_of(wildcards.model, precision)
    formats = {"dtype", "kv_cache_dtype"}
    made = {key: value for key, value in entry.items() if key not in formats}
    return {**source_of(wildcards.model), "precision": made}
