"""Rank each query's scope with BM25 as rank_bm25 computes it."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.retrieval import okapi
    from quantrag.retrieval.runs import run_table
    from quantrag.retrieval.scopes import scopes_of
    from quantrag.retrieval.text import document_texts, query_texts
    from quantrag.tables import read_arrow, write_table

    settings = dict(snakemake.params.settings)
    choice, tokens = settings.pop("document_text"), settings.pop("tokens")
    queries = read_arrow(snakemake.input.queries, columns=["query_id", "scope_id", "query_text"])
    documents = read_arrow(
        snakemake.input.documents, columns=["scope_id", "document_id", "text", "target"]
    )
    rankings = okapi.retrieve(
        document_texts(documents, choice),
        query_texts(queries),
        scopes_of(queries, documents),
        tokens=tokens,
        parameters=settings,
        depth=snakemake.params.depth,
    )
    run = run_table(queries["query_id"], documents["document_id"], rankings)
    write_table(run, snakemake.output.run)
