"""Write the ids of the queries that the paper's answers are to, by data set."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import json
    from pathlib import Path

    from quantrag.errors import UserError
    from quantrag.recorded.paper_answers import ANSWERS, check_queries, kept_queries
    from quantrag.recorded.paper_files import LOGGED
    from quantrag.tables import write_text
    from quantrag.tasks.json_stream import iterate_list

    inputs = dict(snakemake.input.items())
    log_file = Path(inputs.pop("log_file"))
    kept = {}
    for dataset, path in inputs.items():
        # The profiles, nearly all of the file, are dropped as it is read.
        questions = [{key: one[key] for key in ("id", "input")} for one in iterate_list(path)]
        if dataset == LOGGED:
            check_queries(questions, log_file)
        kept[dataset] = kept_queries(questions)
        if len(kept[dataset]) != ANSWERS:
            raise UserError(
                f"{path}: {len(kept[dataset]):,} queries without the longest 0.5%; the paper's "
                f"answers are to {ANSWERS:,}."
            )
    write_text(json.dumps(kept), snakemake.output.queries)
