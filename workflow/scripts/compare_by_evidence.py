"""Compare every precision with the baseline where the evidence is in the prompt and where not."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import pandas as pd

    from quantrag.statistics.evidence import compare_by_evidence
    from quantrag.statistics.score_arrays import load_score_arrays
    from quantrag.tables import write_csv
    from quantrag.tasks.registry import load_all

    params = snakemake.params
    tables = [
        compare_by_evidence(
            grid,
            baseline=params.baseline,
            policy=params.invalid,
            confidence=params.confidence,
            margin=params.margin,
            power=params.power,
            permutations=params.permutations,
            seed=params.seed,
        )
        for grid in load_score_arrays(snakemake.input.scores, load_all(params.tasks))
    ]
    write_csv(pd.concat(tables), snakemake.output.table)
