"""Per-query scores with a known truth, for the tests of the statistics."""

import numpy as np
import pandas as pd

from lamp_tasks import lamp_task
from quantrag.scoring.metrics import CORRECT, score_columns
from quantrag.scoring.score import LOGPROBS
from quantrag.statistics.score_arrays import ScoreArrays, score_arrays_of


def cell(precision, k="1", *, n=None, model="m", retriever="bm25", task="t", **columns):
    """Scores of one cell, columns as in the score files; what isn't given is empty.

    Args:
        precision, k, model, retriever, task: the cell's names.
        n: number of queries; taken from the columns where it isn't given.
        columns: any columns of the score files. `absolute_error` also gives `squared_error`, and
            `flip_key` where that isn't given.
    """
    n = n or max(len(values) for values in columns.values() if not isinstance(values, str))
    ids = [f"q{i}" for i in range(n)]
    frame = pd.DataFrame({"query_id": ids, "cluster_id": ids, "n_tokens": 100})
    frame = frame.assign(
        task=task,
        model=model,
        precision=precision,
        retriever=retriever,
        k=k,
        valid=True,
        evidence="",
    )
    empty = [CORRECT, *score_columns(), LOGPROBS]
    frame = frame.assign(**dict.fromkeys(empty, np.nan)).assign(**columns)
    if "absolute_error" in columns:
        frame["squared_error"] = frame["absolute_error"] ** 2
        frame["correct"] = (frame["absolute_error"] == 0).astype(float)
    if "flip_key" not in columns:
        given = frame[score_columns()].bfill(axis=1).iloc[:, 0]
        frame["flip_key"] = given.round(6).astype(str)
    return frame


def grid_of(*cells, lamp=3) -> ScoreArrays:
    """Cells of one of LaMP's tasks (by number) as arrays."""
    (grid,) = score_arrays_of(cells, [lamp_task(lamp)])
    return grid
