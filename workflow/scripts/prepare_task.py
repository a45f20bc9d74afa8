"""Read one split of one task's LaMP files, check it and write it as tables."""

from quantrag.jobs import job

with job(snakemake):
    from quantrag.lamp import read_task
    from quantrag.tables import write_table

    queries, documents = read_task(
        snakemake.input.questions,
        snakemake.input.outputs,
        snakemake.params.lamp,
        max_queries=snakemake.params.max_queries,
    )
    write_table(queries, snakemake.output.queries)
    write_table(documents, snakemake.output.documents)
