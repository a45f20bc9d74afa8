"""Compare every precision with the baseline."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import pandas as pd

    from quantrag.statistics.comparisons import compare
    from quantrag.statistics.grid import load_grids
    from quantrag.tables import write_csv
    from quantrag.tasks.registry import load_all

    params = snakemake.params
    tables = [
        compare(
            grid,
            baseline=params.baseline,
            policy=params.invalid,
            confidence=params.confidence,
            margin=params.margin,
            power=params.power,
            draws=params.draws,
            permutations=params.permutations,
            seed=params.seed,
        )
        for grid in load_grids(snakemake.input.scores, load_all(params.tasks))
    ]
    write_csv(pd.concat(tables), snakemake.output.table)
