"""Estimate how the gap to the baseline changes with the context."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import pandas as pd

    from quantrag.statistics.score_arrays import load_score_arrays
    from quantrag.statistics.trends import trend
    from quantrag.tables import write_csv
    from quantrag.tasks.registry import load_all

    params = snakemake.params
    tables = [
        trend(grid, baseline=params.baseline, policy=params.invalid, confidence=params.confidence)
        for grid in load_score_arrays(snakemake.input.scores, load_all(params.tasks))
    ]
    write_csv(pd.concat(tables), snakemake.output.table)
