# common.smk: the configuration, and the plan that the rules look everything up in.

import shlex
import sys
from pathlib import Path

# Snakemake hands its Python to a shell without quotes, which a space in the folder's path breaks.
if " " in sys.executable and not sys.executable.startswith("'"):
    sys.executable = shlex.quote(sys.executable)

# Snakemake puts a script's folder on its path, but not on the Snakefile's.
SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from quantrag.config.files import check_files
from quantrag.config.loading import load_config
from quantrag.config.recorded import RecordedExperiment
from quantrag.errors import UserError
from quantrag.names import NO_RETRIEVER, NOISE_FLOOR
from quantrag.plan.plan import Plan, growing
from quantrag.plan.recorded import RecordedPlan


def own(path):
    """A file of the project's: the working directory's (`--directory`), else the project's own."""
    return path if Path(path).exists() else str(Path(workflow.basedir) / path)


DEFAULT_CONFIG = own("config/config.yaml")

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
    # Of recorded answers only what follows them is planned.
    RECORDED = isinstance(experiment, RecordedExperiment)
    plan = (RecordedPlan if RECORDED else Plan)(experiment, SCRIPTS)
except UserError as error:
    sys.exit(f"error: {error}")
# With all defaults, as plain values for the scripts.
config = experiment.model_dump()


def task_files(task, split=None):
    """Files of a split by name. The user's own lie here, wherever a profile keeps all others."""
    files = plan.tasks.files(task, split)
    made = {name for name, paths in files.items() if "<resources>" in str(paths)}
    return {name: paths if name in made else local(paths) for name, paths in files.items()}


RESULTS = f"results/{config['experiment']}"
RESOURCES = "resources"
# No output: rules add to it, and users commit it.
CHECKSUMS = "config/checksums.tsv"
# An input of the page's rule: `code` covers only Python files.
REPORT_ASSETS = expand(
    "{folder}/{asset}",
    folder=own("workflow/scripts/quantrag/presentation/report/assets"),
    asset=["page.html.j2", "page.css", "charts.js", "tables.js", "explorer.js"],
)


pathvars:
    results=RESULTS,
    resources=RESOURCES,
    logs=f"logs/{config['experiment']}",
    benchmarks=f"{RESULTS}/benchmarks",


wildcard_constraints:
    **plan.constraints,
