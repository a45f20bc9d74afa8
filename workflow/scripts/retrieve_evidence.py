"""Rank the documents that hold each question's answer first."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.retrieval import evidence
    from quantrag.retrieval.runs import rankings_of, run_table
    from quantrag.tables import read_arrow, write_table

    queries = read_arrow(snakemake.input.queries, columns=["query_id", "scope_id", "evidence"])
    documents = read_arrow(snakemake.input.documents, columns=["scope_id", "document_id"])
    runs = [
        rankings_of(read_arrow(run, columns=["query_id", "document_id"]), queries, documents)
        for run in snakemake.input.runs
    ]
    rankings = evidence.retrieve(
        evidence.rows(queries, documents), runs[0] if runs else None, snakemake.params.depth
    )
    run = run_table(queries["query_id"], documents["document_id"], rankings)
    write_table(run, snakemake.output.run)
