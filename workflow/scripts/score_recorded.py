"""Match and score the recorded answers of one task."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import json
    import sys

    # rouge_score imports all of NLTK, which takes these where it finds them: seconds, for nothing.
    sys.modules.setdefault("scipy", None)
    sys.modules.setdefault("sklearn", None)

    from quantrag.recorded.formats import read
    from quantrag.recorded.scores import LEFT_OUT, System, score_recorded
    from quantrag.tables import read_table, write_table
    from quantrag.tasks.answers import VERSION
    from quantrag.tasks.registry import load

    params, output = snakemake.params, snakemake.output
    systems = {
        System(entry["model"], entry["precision"], entry["retriever"], entry["k"]): [
            read(params.format, path, params.options) for path in entry["files"]
        ]
        for entry in params.systems
    }
    # Of LaMP's tasks; the items of others come with their answers.
    queries = snakemake.input.queries
    own = [queries] if isinstance(queries, str) else list(queries)
    tables = score_recorded(
        load(snakemake.wildcards.task, params.task),
        systems,
        rule=params.parsing,
        baseline=params.baseline,
        queries=read_table(own[0]) if own else None,
    )
    write_table(tables.queries, output.item_table, {LEFT_OUT: json.dumps(tables.left_out)})
    write_table(tables.answers, output.answers)
    write_table(
        tables.scores,
        output.scores,
        {"parsing": params.parsing, "parsing_version": str(VERSION)},
    )
