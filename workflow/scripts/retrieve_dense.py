"""Encode the queries and rank each one's scope by dot product."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import torch

    from quantrag.model_files import package_folder
    from quantrag.retrieval import faiss_index
    from quantrag.retrieval.encoder import Encoder, EncodingOptions
    from quantrag.retrieval.runs import run_table
    from quantrag.retrieval.scopes import scopes_of
    from quantrag.retrieval.text import query_texts
    from quantrag.retrieval.vectors import encode
    from quantrag.tables import read_arrow, write_table

    torch.set_num_threads(snakemake.threads)
    settings = dict(snakemake.params.settings)
    prefix = settings.pop("query_prefix")
    queries = read_arrow(snakemake.input.queries, columns=["query_id", "scope_id", "query_text"])
    documents = read_arrow(snakemake.input.documents, columns=["scope_id", "document_id"])
    folder = snakemake.input.encoder or package_folder(snakemake.params.encoder["package"])
    encoder = Encoder(folder, EncodingOptions(**settings))
    rankings = faiss_index.retrieve(
        faiss_index.read_index(snakemake.input.index),
        encode(encoder, query_texts(queries), encoder.prefix(prefix, "query")),
        scopes_of(queries, documents),
        snakemake.params.depth,
    )
    run = run_table(queries["query_id"], documents["document_id"], rankings)
    write_table(run, snakemake.output.run)
