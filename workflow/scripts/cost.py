"""Join what the generation jobs took."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.generation.costs import join_costs
    from quantrag.tables import write_csv

    write_csv(join_costs(snakemake.input.costs), snakemake.output.table)
