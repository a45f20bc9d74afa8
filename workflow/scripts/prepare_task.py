"""Read one split of one task's LaMP files, check it and write it as tables."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.tables import write_table
    from quantrag.tasks.checksums import verify
    from quantrag.tasks.lamp import read_task

    params = snakemake.params
    # Of LaMP's own files: what is evaluated is what was downloaded first.
    for path, url in params.published.items():
        verify(path, url, params.checksums)
    queries, documents = read_task(
        snakemake.input.questions,
        snakemake.input.outputs,
        params.lamp,
        max_queries=params.max_queries,
        invalid_records=params.invalid_records,
        at_least=100 if params.published else 1,
    )
    metadata = {key.decode(): value.decode() for key, value in queries.schema.metadata.items()}
    write_table(queries, snakemake.output.queries, metadata)
    write_table(documents, snakemake.output.documents)
