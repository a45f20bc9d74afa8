# quantrag: what does quantizing a small LLM cost in retrieval-augmented generation?
#
# `snakemake --cores 8 --sdm conda` runs the grid of config/config.yaml (the paper's);
# `--configfile FILE` takes another one in its place. Every key: config/README.md.

from snakemake.utils import min_version

min_version("9.27")


include: "workflow/rules/common.smk"
include: "workflow/rules/download.smk"
include: "workflow/rules/tasks.smk"


if RECORDED:

    include: "workflow/rules/recorded.smk"

    if experiment.recorded.format == "paper":

        include: "workflow/rules/paper_answers.smk"

else:

    include: "workflow/rules/retrieval.smk"
    include: "workflow/rules/checkpoints.smk"
    include: "workflow/rules/prompts.smk"
    include: "workflow/rules/quantization.smk"
    include: "workflow/rules/generation.smk"
    include: "workflow/rules/scoring.smk"
    include: "workflow/rules/report.smk"
    include: "workflow/rules/estimate.smk"


include: "workflow/rules/analysis.smk"
include: "workflow/rules/figures.smk"


rule all:
    """The figures, tables and report of the experiment."""
    default_target: True
    input:
        plan.products.tables,
        plan.products.figures,
        plan.products.publications,
        "<results>/report.html",
