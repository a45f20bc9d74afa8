"""Fuse the rankings of several retrievers by reciprocal rank."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.retrieval import fusion
    from quantrag.retrieval.runs import rankings_of, run_table
    from quantrag.tables import read_arrow, write_table

    queries = read_arrow(snakemake.input.queries, columns=["query_id", "scope_id"])
    documents = read_arrow(snakemake.input.documents, columns=["scope_id", "document_id"])
    rankings = fusion.fuse(
        [
            rankings_of(read_arrow(run, columns=["query_id", "document_id"]), queries, documents)
            for run in snakemake.input.runs
        ],
        depth=snakemake.params.depth,
        **snakemake.params.settings,
    )
    run = run_table(queries["query_id"], documents["document_id"], rankings)
    write_table(run, snakemake.output.run)
