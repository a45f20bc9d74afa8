"""Encode the queries and rank each one's scope, or the best of a corpus, by dot product."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import faiss
    import torch

    from quantrag.model_files import package_folder
    from quantrag.retrieval import faiss_index
    from quantrag.retrieval.encoder import Encoder, EncodingOptions
    from quantrag.retrieval.runs import INDEX_RECALL, run_table
    from quantrag.retrieval.scopes import scopes_of
    from quantrag.retrieval.text import query_texts
    from quantrag.retrieval.vectors import encode
    from quantrag.tables import read_arrow, write_table
    from quantrag.tasks.task import CORPUS

    faiss.omp_set_num_threads(snakemake.threads)
    torch.set_num_threads(snakemake.threads)
    settings = dict(snakemake.params.settings)
    prefix = settings.pop("query_prefix")
    queries = read_arrow(snakemake.input.queries, columns=["query_id", "scope_id", "query_text"])
    documents = read_arrow(snakemake.input.documents, columns=["scope_id", "document_id"])
    folder = snakemake.input.encoder or package_folder(snakemake.params.encoder["package"])
    encoder = Encoder(folder, EncodingOptions(**settings))
    vectors = encode(encoder, query_texts(queries), encoder.prefix(prefix, "query"))
    index, depth = faiss_index.read_index(snakemake.input.index), snakemake.params.depth
    if snakemake.params.scope == CORPUS:
        rankings = faiss_index.retrieve_from_corpus(index, vectors, depth)
        metadata = {INDEX_RECALL: str(faiss_index.index_recall(index, vectors, depth))}
    else:
        metadata = None
        rankings = faiss_index.retrieve(index, vectors, scopes_of(queries, documents), depth)
    run = run_table(queries["query_id"], documents["document_id"], rankings)
    write_table(run, snakemake.output.run, metadata)
