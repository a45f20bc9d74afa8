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
    write_table(
        pa.concat_tables([read_arrow(path) for path in snakemake.input.scores]),
        snakemake.output.scores,
    )
