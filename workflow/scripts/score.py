"""Parse and score all answers of one checkpoint."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import sys

    # rouge_score imports all of NLTK, which takes these where it finds them: seconds, for nothing.
    sys.modules.setdefault("scipy", None)
    sys.modules.setdefault("sklearn", None)

    import pandas as pd

    from quantrag.grid import Cell
    from quantrag.scoring.evidence import with_documents
    from quantrag.scoring.score import score_task
    from quantrag.tables import read_table, write_table
    from quantrag.tasks.answers import VERSION
    from quantrag.tasks.registry import load_all

    params = snakemake.params
    columns = ["query_id", "text", "prompt_tokens", "likelihoods", "baseline_likelihood"]
    cells = [Cell.parse(path) for path in params.cells]
    parts = []
    for task, queries in zip(load_all(params.tasks), snakemake.input.queries, strict=True):
        own = [number for number, cell in enumerate(cells) if cell.task == task.name]
        completions = [read_table(snakemake.input.completions[number], columns) for number in own]
        own = [cells[number] for number in own]
        parts.append(
            score_task(
                with_documents(completions, own, snakemake.input.prompts),
                own,
                read_table(queries),
                task=task,
                rule=params.parsing,
            )
        )
    scores = pd.concat(parts, ignore_index=True)
    scores.insert(1, "model", snakemake.wildcards.model)
    scores.insert(2, "precision", snakemake.wildcards.precision)
    write_table(
        scores,
        snakemake.output.scores,
        {"parsing": params.parsing, "parsing_version": str(VERSION)},
    )
