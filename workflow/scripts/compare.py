"""Compare every precision with the baseline."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import pandas as pd

    from quantrag.statistics.comparisons import compare, pool
    from quantrag.statistics.score_arrays import load_score_arrays
    from quantrag.tables import write_csv
    from quantrag.tasks.registry import load_all

    params = snakemake.params
    settings = {
        "baseline": params.baseline,
        "policy": params.invalid,
        "confidence": params.confidence,
        "margin": params.margin,
        "power": params.power,
    }
    grids = load_score_arrays(snakemake.input.scores, load_all(params.tasks))
    if params.without:
        grids = [grid.without(params.without) for grid in grids]
    tables = [
        compare(grid, **settings, permutations=params.permutations, seed=params.seed)
        for grid in grids
    ]
    write_csv(pd.concat(tables), snakemake.output.table)
    write_csv(pd.concat([pool(grid, **settings) for grid in grids]), snakemake.output.pooled)
