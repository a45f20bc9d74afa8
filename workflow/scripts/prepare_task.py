"""Read one split of one task's files, check it and write it as tables."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.tables import write_table
    from quantrag.tasks.checksums import verify
    from quantrag.tasks.registry import read

    params = snakemake.params
    # What is evaluated is what was downloaded first.
    for path, url in params.published.items():
        verify(path, url, params.checksums)
    queries, documents = read(params.task, dict(snakemake.input.items()))
    metadata = {key.decode(): value.decode() for key, value in queries.schema.metadata.items()}
    write_table(queries, snakemake.output.queries, metadata)
    write_table(documents, snakemake.output.documents)
