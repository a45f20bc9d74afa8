"""Lay the documents' vectors out in scope order as a flat FAISS index."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.retrieval import faiss_index
    from quantrag.retrieval.vectors import read_vectors

    vectors, of_document = read_vectors(snakemake.input.vectors)
    faiss_index.build_index(vectors, of_document, snakemake.output.index)
