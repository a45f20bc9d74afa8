"""Join what the generation jobs took."""

from quantrag.jobs import job

with job(snakemake):
    from quantrag.costs import join_costs
    from quantrag.tables import write_csv

    write_csv(join_costs(snakemake.input.costs), snakemake.output.table)
