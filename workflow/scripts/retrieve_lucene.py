"""Rank each query's scope, or the best of a corpus, with Lucene's BM25."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.retrieval import jvm, lucene
    from quantrag.retrieval.runs import run_table
    from quantrag.retrieval.scopes import scopes_of
    from quantrag.retrieval.text import query_texts
    from quantrag.tables import read_arrow, write_table

    queries = read_arrow(snakemake.input.queries, columns=["query_id", "scope_id", "query_text"])
    documents = read_arrow(snakemake.input.documents, columns=["scope_id", "document_id"])
    jvm.start(heap_mb=snakemake.resources.mem_mb // 2)
    params = snakemake.params
    searcher = lucene.Searcher(
        snakemake.input.index, statistics=params.statistics, **params.settings
    )
    texts = query_texts(queries).to_pylist()
    if params.statistics == lucene.CORPUS:
        rankings = lucene.retrieve_from_corpus(searcher, texts, params.depth)
    else:
        scopes = scopes_of(queries, documents)
        rankings = lucene.retrieve(searcher, texts, scopes, params.depth)
    run = run_table(queries["query_id"], documents["document_id"], rankings)
    write_table(run, snakemake.output.run)
