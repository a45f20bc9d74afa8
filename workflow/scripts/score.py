"""Parse and score all answers of one checkpoint."""

from quantrag.runtime.jobs import job

with job(snakemake):
    import sys

    # rouge_score imports all of NLTK, which takes these where it finds them: seconds, for nothing.
    sys.modules.setdefault("scipy", None)
    sys.modules.setdefault("sklearn", None)

    import pandas as pd

    from quantrag.grid import Cell
    from quantrag.scoring.metrics import RATING, kind_of
    from quantrag.scoring.parsing import VERSION
    from quantrag.scoring.score import score_task
    from quantrag.tables import read_table, write_table

    params = snakemake.params
    columns = ["query_id", "text", "prompt_tokens"]
    cells = [Cell.parse(path) for path in params.cells]
    parts = []
    for task, lamp in params.lamps.items():
        read = [*columns, "first_token_logprobs"] if kind_of(lamp) == RATING else columns
        own = [number for number, cell in enumerate(cells) if cell.task == task]
        parts.append(
            score_task(
                [read_table(snakemake.input.completions[number], read) for number in own],
                [cells[number] for number in own],
                read_table(snakemake.input.queries[list(params.lamps).index(task)]),
                task=task,
                lamp=lamp,
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
