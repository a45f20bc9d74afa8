"""Write every cell's metrics with intervals, and all per-query scores as one table."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import pandas as pd
    import pyarrow as pa

    from quantrag.statistics.score_arrays import load_score_arrays
    from quantrag.statistics.summaries import summarize
    from quantrag.tables import read_arrow, write_csv, write_table
    from quantrag.tasks.registry import load_all

    params = snakemake.params
    grids = load_score_arrays(snakemake.input.scores, load_all(params.tasks))
    tables = [
        summarize(
            grid,
            policy=params.invalid,
            confidence=params.confidence,
            draws=params.draws,
            seed=params.seed,
        )
        for grid in grids
    ]
    write_csv(pd.concat(tables), snakemake.output.table)
    parts = [read_arrow(path) for path in snakemake.input.scores]
    # Recorded metrics are columns that not every task has.
    joined = pa.concat_tables(parts, promote_options="default")
    write_table(joined, snakemake.output.scores)
