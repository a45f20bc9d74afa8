"""Write the ids of the queries that the paper's answers are to, by data set."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import json
    from pathlib import Path

    from quantrag.errors import UserError
    from quantrag.recorded.paper_answers import ANSWERS, kept_queries
    from quantrag.recorded.record import read_json
    from quantrag.tables import atomic_path

    kept = {}
    for dataset, path in snakemake.input.items():
        kept[dataset] = kept_queries(read_json(Path(path)))
        if len(kept[dataset]) != ANSWERS:
            raise UserError(
                f"{path}: {len(kept[dataset]):,} queries without the longest 0.5%; the paper's "
                f"answers are to {ANSWERS:,}."
            )
    with atomic_path(snakemake.output.queries) as temporary:
        temporary.write_text(json.dumps(kept), encoding="utf-8")
