"""Join what the generation jobs took."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.config.files import read_mapping
    from quantrag.generation.cards import usable_memory
    from quantrag.generation.costs import join_costs
    from quantrag.tables import write_csv

    facts, params = read_mapping(snakemake.input.facts), snakemake.params
    usable = {
        precision: usable_memory(precision, entry, params.engine, params.device, facts)
        for precision, entry in params.precisions.items()
    }
    write_csv(join_costs(snakemake.input.costs, usable), snakemake.output.table)
