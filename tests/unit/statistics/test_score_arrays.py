"""Score files as arrays."""

import numpy as np
import pytest

from lamp_tasks import lamp_task
from quantrag.errors import UserError
from quantrag.statistics.score_arrays import CELL, load_score_arrays, score_arrays_of
from quantrag.tables import write_table
from synthetic_scores import cell, grid_of


def test_a_row_for_each_cell_and_a_column_for_each_query():
    users = ["u", "v", "u"]
    grid = grid_of(
        cell("fp16", absolute_error=[0, 1, 4.0], cluster_id=users, flip_key=["a", "b", "c"]),
        cell(
            *["int4", "3"],
            absolute_error=[2, 1, 0.0],
            cluster_id=users,
            flip_key=["a", "c", "c"],
            valid=[True, False, True],
        ),
    )
    assert grid.cells[CELL].values.tolist() == [
        *[["m", "fp16", "bm25", "1"], ["m", "int4", "bm25", "3"]]
    ]
    assert grid.rows() == {("m", "fp16", "bm25", "1"): 0, ("m", "int4", "bm25", "3"): 1}
    assert (grid.clusters.tolist(), grid.n_clusters) == ([0, 1, 0], 2)
    assert grid.scores["squared_error"].tolist() == [[0, 1, 16], [4, 1, 0]]
    assert grid.valid.tolist() == [[True] * 3, [True, False, True]]
    same = grid.answers[0] == grid.answers[1]
    assert same.tolist() == [True, False, True]
    assert grid.logprobs is None


def test_only_measured_metrics_are_there_by_name():
    values = np.ones(2)
    assert [m.key for m in grid_of(cell("fp16", absolute_error=values)).metrics] == ["mae", "rmse"]
    both = cell("fp16", absolute_error=values, rps=values)
    assert [m.key for m in grid_of(both).metrics] == ["mae", "rmse", "rps"]


def test_logprobs_of_the_labels_are_the_last_axis():
    logprobs = [[-1.0, -2.0, -3.0, -4.0, -5.0], None]
    grid = grid_of(cell("fp16", absolute_error=np.ones(2), logprobs=logprobs))
    assert grid.logprobs.shape == (1, 2, 5)
    assert grid.logprobs[0, 0].tolist() == [-1, -2, -3, -4, -5]
    assert np.isnan(grid.logprobs[0, 1]).all()


def test_files_are_grouped_by_task_in_the_tasks_order(tmp_path):
    paths = []
    for task in ("a", "b"):
        frame = cell("fp16", task=task, absolute_error=np.ones(2))
        paths.append(tmp_path / f"{task}.parquet")
        write_table(frame, paths[-1])
    tasks = [lamp_task(3, name) for name in ("b", "a", "unused")]
    assert [grid.task.name for grid in load_score_arrays(paths, tasks)] == ["b", "a"]
    with pytest.raises(KeyError):
        score_arrays_of([cell("fp16", absolute_error=np.ones(2))], tasks)


def test_cells_with_other_queries_are_refused():
    first, second = (cell(p, absolute_error=np.zeros(n)) for p, n in (("fp16", 5), ("int4", 6)))
    with pytest.raises(UserError, match="int4"):
        grid_of(first, second)


def test_answers_are_left_out_by_a_recorded_flag():
    values = {"absolute_error": [0, 1, 2.0]}
    cells = [
        cell("fp16", **values, **{"late↓": [0, 0, 1.0], "part↓": [0, 0.5, 1]}),
        cell("int4", **values, **{"late↓": [1, 0, 0.0], "part↓": [0, 0.5, 1]}),
    ]
    grid = grid_of(*cells)
    assert grid.counting(0).tolist() == [True] * 3
    assert grid.counting(np.array([0, 1])).shape == (2, 3)
    rest = grid.without("late")
    assert [m.key for m in rest.metrics] == ["mae", "part↓", "rmse"]
    assert rest.counting(0).tolist() == [True, True, False]
    assert rest.counting(0, 1).tolist() == [False, True, False]
    both = rest.counting(np.array([0, 1]), np.array([0, 0]))
    assert both.tolist() == [[True, True, False], [False, True, False]]
    with pytest.raises(UserError, match=r"t has no recorded score 'early'\. It has: late, part"):
        grid.without("early")
    with pytest.raises(UserError, match="part of t has other values than 0 and 1"):
        grid.without("part")


def test_without_the_only_recorded_score_nothing_is_left():
    cells = [cell(precision, **{"late↓": [0, 0, 1.0]}) for precision in ("fp16", "int4")]
    with pytest.raises(UserError, match="late is the only score of t, so nothing is left"):
        grid_of(*cells).without("late")
