"""Set published values beside ours."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import pandas as pd

    from quantrag.config.published import load_published
    from quantrag.statistics.replication import replicate
    from quantrag.tables import write_csv

    published = load_published(snakemake.input.published)
    scores = pd.read_csv(
        snakemake.input.scores,
        dtype={"k": "str", "retriever": "str"},
        keep_default_na=False,
        na_values=[""],
    )
    write_csv(replicate(published, scores), snakemake.output.table)
