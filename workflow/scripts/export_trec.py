"""Write a run in TREC's format, for trec_eval and ir_measures."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.retrieval.runs import write_trec
    from quantrag.tables import read_arrow

    run = read_arrow(snakemake.input.run)
    write_trec(run, snakemake.output.run, snakemake.wildcards.retriever)
