"""Join what the generation jobs took."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.config.files import read_mapping
    from quantrag.generation.cards import usable_memory
    from quantrag.generation.costs import join_costs
    from quantrag.tables import write_csv

    facts, engine = read_mapping(snakemake.input.facts), snakemake.params.engine
    usable = {
        precision: usable_memory(precision, entry, engine, facts)
        for precision, entry in snakemake.params.precisions.items()
    }
    write_csv(join_costs(snakemake.input.costs, usable), snakemake.output.table)
