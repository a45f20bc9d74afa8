"""Build the Lucene index of a task's documents."""

from quantrag.runtime.jobs import job

with job(snakemake):
    from quantrag.retrieval import jvm, lucene
    from quantrag.retrieval.scopes import scopes_of
    from quantrag.retrieval.text import document_texts
    from quantrag.tables import read_arrow

    settings = dict(snakemake.params.settings)
    documents = read_arrow(snakemake.input.documents, columns=["scope_id", "text", "target"])
    # Half for Java's heap, half for Python's tables and what Java keeps outside its heap.
    jvm.start(heap_mb=snakemake.resources.mem_mb // 2)
    lucene.build_index(
        snakemake.output.index,
        document_texts(documents, settings.pop("document_text")),
        # Without queries: the index doesn't depend on them.
        scopes_of(documents.slice(0, 0), documents),
        statistics=snakemake.params.statistics,
        **settings,
    )
