"""Measure how well each retriever finds the documents that hold the answers."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import pandas as pd

    from quantrag.retrieval.quality import per_query
    from quantrag.retrieval.runs import INDEX_RECALL
    from quantrag.statistics.bootstrap import generator
    from quantrag.statistics.retrieval_quality import RETRIEVAL_COLUMNS, summarize_retrieval
    from quantrag.tables import read_arrow, read_metadata, write_csv

    params, rows = snakemake.params, []
    for place, (task, path) in enumerate(zip(params.tasks, snakemake.input.queries, strict=True)):
        queries = read_arrow(path, ["query_id", "cluster_id", "evidence"])
        clusters = queries.select(["query_id", "cluster_id"]).to_pandas().set_index("query_id")
        # The runs come task by task, in the order of the retrievers.
        n = len(params.retrievers)
        runs = snakemake.input.runs[place * n :][:n]
        for retriever, run in zip(params.retrievers, runs, strict=True):
            values = per_query(read_arrow(run, ["query_id", "rank", "document_id"]), queries)
            own = clusters["cluster_id"].loc[values.index].to_numpy()
            recall = None
            if retriever in params.indexed:
                recall = float(read_metadata(run).get(INDEX_RECALL, 1))
            rows.append(
                {
                    "task": task,
                    "retriever": retriever,
                    **summarize_retrieval(
                        values,
                        own,
                        confidence=params.confidence,
                        draws=params.draws,
                        rng=generator(params.seed, "retrieval", task),
                    ),
                    INDEX_RECALL: recall,
                }
            )
    write_csv(pd.DataFrame(rows, columns=RETRIEVAL_COLUMNS), snakemake.output.table)
