"""Rank another retriever's first documents anew with a cross-encoder."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import torch

    from quantrag.model_files import package_folder
    from quantrag.retrieval.cross_encoder import CrossEncoder
    from quantrag.retrieval.rerank import rerank
    from quantrag.retrieval.runs import rankings_of, run_table
    from quantrag.retrieval.text import document_texts, query_texts
    from quantrag.tables import read_arrow, write_table

    torch.set_num_threads(snakemake.threads)
    params, settings = snakemake.params, dict(snakemake.params.settings)
    choice, depth = settings.pop("document_text"), settings.pop("depth")
    queries = read_arrow(snakemake.input.queries, columns=["query_id", "scope_id", "query_text"])
    documents = read_arrow(
        snakemake.input.documents, columns=["scope_id", "document_id", "text", "target"]
    )
    folder = snakemake.input.model or package_folder(params.model["package"])
    [run] = snakemake.input.runs
    rankings = rerank(
        CrossEncoder(folder, **settings).score,
        rankings_of(read_arrow(run, columns=["query_id", "document_id"]), queries, documents),
        query_texts(queries).to_pylist(),
        document_texts(documents, choice),
        depth=depth,
        keep=params.depth,
    )
    run = run_table(queries["query_id"], documents["document_id"], rankings)
    write_table(run, snakemake.output.run)
