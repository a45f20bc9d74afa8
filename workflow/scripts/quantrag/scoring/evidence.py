"""Whether a prompt holds the evidence for its query's answer, and where."""

from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from quantrag.grid import Cell
from quantrag.tables import read_table

#: Values of the scores' column `evidence`: which documents answer the query isn't known, none of
#: them is in the prompt, or the third of the prompt's documents in which the first of them stands.
UNKNOWN, ABSENT = "", "absent"
THIRDS = ("first", "middle", "last")
#: Parts of the comparisons: the values of the column that each takes.
PRESENT = "present"
PARTS = {PRESENT: THIRDS, ABSENT: (ABSENT,), **{third: (third,) for third in THIRDS}}
#: The difference with the evidence in the prompt minus the difference without it.
INTERACTION = f"{PRESENT}-{ABSENT}"


def place_of_evidence(documents: Sequence[str], evidence: Collection[str]) -> str:
    """`UNKNOWN`, `ABSENT` or one of `THIRDS`.

    Of n documents the one at position i, from 0, is in third floor(3 i / n): a single document is
    in the first one, and two are in the first and the middle one.

    Args:
        documents: ids, in the order in which they stand in the prompt.
        evidence: ids of the documents that hold the answer; one of them in the prompt is enough.
    """
    if not len(evidence):
        return UNKNOWN
    wanted = set(evidence)
    for position, document in enumerate(documents):
        if document in wanted:
            return THIRDS[3 * position // len(documents)]
    return ABSENT


def with_documents(
    completions: Sequence[pd.DataFrame], cells: Sequence[Cell], prompts: Sequence[str | Path]
) -> list[pd.DataFrame]:
    """Completions with a column `document_ids`: the documents of their prompts.

    Args:
        completions: per cell a frame with query_id.
        cells: of each of them.
        prompts: files `{task}/{retriever}.parquet` of a model, of which those of the cells' tasks
            are read. The completions of a cell without such a file are left as they are.
    """
    read, tasks = {}, {cell.task for cell in cells}
    for path in map(Path, prompts):
        if path.parent.name not in tasks:
            continue
        frame = read_table(path, ["query_id", "k", "document_ids"])
        for k, part in frame.groupby("k", sort=False):
            read[path.parent.name, path.stem, k] = part.drop(columns="k")
    return [
        frame
        if (key := (cell.task, cell.retriever, str(cell.k))) not in read
        else frame.merge(read[key], on="query_id", how="left", validate="one_to_one")
        for frame, cell in zip(completions, cells, strict=True)
    ]
