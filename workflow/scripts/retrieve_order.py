"""Order each query's documents without looking at their text: by date, or at random."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.retrieval import order
    from quantrag.retrieval.runs import run_table
    from quantrag.retrieval.scopes import scopes_of
    from quantrag.tables import read_arrow, write_table
    from quantrag.tasks.task import CORPUS

    queries = read_arrow(snakemake.input.queries, columns=["query_id", "scope_id"])
    documents = read_arrow(snakemake.input.documents, columns=["scope_id", "document_id", "date"])
    params = snakemake.params
    asked = params.settings["by"], queries["query_id"].to_pylist(), documents["date"].to_pylist()
    how = {"seed": params.seed, "depth": params.depth}
    if params.scope == CORPUS:
        rankings = order.retrieve_from_corpus(*asked, **how)
    else:
        rankings = order.retrieve(*asked, scopes_of(queries, documents), **how)
    run = run_table(queries["query_id"], documents["document_id"], rankings)
    write_table(run, snakemake.output.run)
