"""Rank each query's scope without looking at its text: by date, or at random."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.retrieval import order
    from quantrag.retrieval.runs import run_table
    from quantrag.retrieval.scopes import scopes_of
    from quantrag.tables import read_arrow, write_table

    queries = read_arrow(snakemake.input.queries, columns=["query_id", "scope_id"])
    documents = read_arrow(snakemake.input.documents, columns=["scope_id", "document_id", "date"])
    rankings = order.retrieve(
        snakemake.params.by,
        queries["query_id"].to_pylist(),
        documents["date"].to_pylist(),
        scopes_of(queries, documents),
        seed=snakemake.params.seed,
        depth=snakemake.params.depth,
    )
    run = run_table(queries["query_id"], documents["document_id"], rankings)
    write_table(run, snakemake.output.run)
