"""Lay the documents' vectors out as a FAISS index, in their order."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import faiss

    from quantrag.retrieval import faiss_index
    from quantrag.retrieval.vectors import read_vectors
    from quantrag.tasks.task import CORPUS

    faiss.omp_set_num_threads(snakemake.threads)
    in_corpus = snakemake.params.scope == CORPUS
    kind = snakemake.params.settings["index"] if in_corpus else "flat"
    vectors, of_document = read_vectors(snakemake.input.vectors)
    faiss_index.build_index(vectors, of_document, snakemake.output.index, kind)
