"""Measure how far every pair of retrievers agrees on the order of the documents."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import pandas as pd

    from quantrag.retrieval.agreement import mean_agreement
    from quantrag.tables import read_arrow, write_csv

    retrievers = snakemake.params.retrievers
    columns = ["query_id", "rank", "document_id"]
    tables = []
    for place, task in enumerate(snakemake.params.tasks):
        # The runs come task by task, in the order of the retrievers.
        paths = snakemake.input.runs[place * len(retrievers) :][: len(retrievers)]
        runs = {
            name: read_arrow(path, columns) for name, path in zip(retrievers, paths, strict=True)
        }
        tables.append(mean_agreement(runs, task))
    write_csv(pd.concat(tables, ignore_index=True), snakemake.output.table)
