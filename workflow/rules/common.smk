# common.smk: the configuration and what the other rules files derive from it.

import re
import shlex
import sys
from pathlib import Path

# Snakemake hands its Python to a shell without quotes, which a space in the folder's path breaks.
if " " in sys.executable and not sys.executable.startswith("'"):
    sys.executable = shlex.quote(sys.executable)

# Snakemake puts a script's folder on its path, but not on the Snakefile's.
sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))

from quantrag.config.files import check_files
from quantrag.config.loading import load_config
from quantrag.engines.registry import ENGINES
from quantrag.errors import UserError
from quantrag.grid import K, cells_of, ks_of, retrievers_with_none
from quantrag.names import NO_RETRIEVER, NOISE_FLOOR
from quantrag.runtime.source_hash import source_hash
from quantrag.tasks.registry import definition

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
DEFAULT_CONFIG = "config/config.yaml"

# One line says it better than the traceback that an exception would bring.
try:
    check_files(workflow.configfiles or [DEFAULT_CONFIG])
except UserError as error:
    sys.exit(f"error: {error}")

# A file given on the command line replaces the default one; merged, the two grids would add up.
if not workflow.overwrite_configfiles:

    configfile: DEFAULT_CONFIG


try:
    experiment = load_config(config, workflow.configfiles, workflow.config_settings.config)
except UserError as error:
    sys.exit(f"error: {error}")
config = experiment.model_dump()

RESULTS = f"results/{config['experiment']}"
RESOURCES = "resources"
# No output: rules add to it, and users commit it.
CHECKSUMS = "config/checksums.tsv"
# What each task is, for the scripts, which make a `Task` of it.
TASKS = {task: definition(entry) for task, entry in config["tasks"].items()}


pathvars:
    results=RESULTS,
    resources=RESOURCES,
    logs=f"logs/{config['experiment']}",
    benchmarks=f"{RESULTS}/benchmarks",


def code(*files):
    """Content hash of a script and of the quantrag modules that it imports.

    A module that is imported by name (an engine, a program of its own) is named beside the script.
    """
    return source_hash([SCRIPTS / file for file in files], SCRIPTS)


def one_of(names):
    """A regular expression that matches exactly these names (nothing when there are none)."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


def retrievers_of_kind(kind):
    """Constraint of the wildcard `retriever` to the retrievers of one kind."""
    return one_of(name for name, entry in config["retrievers"].items() if entry["kind"] == kind)


KS = [K.parse(k) for k in config["k"]]


def cells():
    """Every `{task}/{retriever}/k{k}` of the grid; k = 0 needs no retriever and is there once."""
    return [str(cell) for cell in cells_of(config["tasks"], config["retrievers"], KS)]


def prompt_files(model):
    """The prompts of one model: a file per task and retriever, and one without retrieval."""
    return [
        f"<results>/prompts/{model}/{task}/{retriever}.parquet"
        for task in config["tasks"]
        for retriever in retrievers_with_none(config["retrievers"], KS)
    ]


def precisions_with_noise():
    """The precisions, and the baseline's second pass where the noise floor is asked for."""
    return [*config["precisions"], *([NOISE_FLOOR] if config["noise_floor"] else [])]


def score_files():
    """The per-query scores of every model and precision."""
    return expand(
        "<results>/scores/{model}/{precision}.parquet",
        model=config["models"],
        precision=precisions_with_noise(),
    )


def growing(amount):
    """A resource of which a job that was killed gets more at its next attempt."""
    return lambda wildcards, attempt: amount * attempt


def on_cpu():
    """Whether the experiment runs without GPUs."""
    return config["generation"]["device"] == "cpu"


def gpus_of_small_jobs():
    """GPUs of a job that encodes or quantizes on the device of the experiment."""
    return 0 if on_cpu() else 1


def gpus_per_job():
    """GPUs of one `generate` job: none on a CPU, or when the model runs behind a server."""
    engine = ENGINES[config["generation"]["engine"]]
    return 0 if on_cpu() else engine.gpus(config["generation"][engine.name])


wildcard_constraints:
    task=one_of(config["tasks"]),
    retriever=one_of([*config["retrievers"], NO_RETRIEVER]),
    model=one_of(config["models"]),
    precision=one_of(precisions_with_noise()),


include: "common/retrievers.smk"
include: "common/models.smk"
include: "common/products.smk"
