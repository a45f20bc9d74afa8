"""Read what a rule wants of one task's files, check it and write it as tables."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.tables import table_metadata, write_table
    from quantrag.tasks.checksums import verify
    from quantrag.tasks.registry import read

    params = snakemake.params
    # What is evaluated is what was downloaded first.
    for path, url in params.published.items():
        verify(path, url, params.checksums)
    tables = read(params.task, dict(snakemake.input.items()))
    for name, path in snakemake.output.items():
        write_table(tables[name], path, table_metadata(tables[name].schema))
