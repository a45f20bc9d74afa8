"""Write the ids of the queries that the paper's answers are to, by data set."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import json

    from quantrag.errors import UserError
    from quantrag.recorded.paper_answers import ANSWERS, kept_queries
    from quantrag.tables import write_text
    from quantrag.tasks.json_stream import iterate_list

    kept = {}
    for dataset, path in snakemake.input.items():
        # The profiles, nearly all of the file, are dropped as it is read.
        questions = ({key: one[key] for key in ("id", "input")} for one in iterate_list(path))
        kept[dataset] = kept_queries(questions)
        if len(kept[dataset]) != ANSWERS:
            raise UserError(
                f"{path}: {len(kept[dataset]):,} queries without the longest 0.5%; the paper's "
                f"answers are to {ANSWERS:,}."
            )
    write_text(json.dumps(kept), snakemake.output.queries)
