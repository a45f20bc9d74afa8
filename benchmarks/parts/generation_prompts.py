"""Which prompts are answered: the first queries of what `build_prompts` wrote."""

import sys
from pathlib import Path

import pyarrow.compute as pc

from quantrag.generation.cell_tables import ordered, read_prompts
from quantrag.grid import Cell, K
from quantrag.tables import read_arrow, write_table


def select_prompts(source: Path, target: Path, queries: int) -> None:
    """Copy the prompts of the first queries of every file."""
    paths = sorted(source.glob("*/*.parquet"))
    if not paths:
        sys.exit(f"{source}: no prompts. Run the demo (or its build_prompts), or name --prompts.")
    for path in paths:
        table = read_arrow(path)
        first = list(dict.fromkeys(table["query_id"].to_pylist()))[:queries]
        table = table.filter(pc.is_in(table["query_id"], pc.cast(first, "string")))
        write_table(table, target / path.parent.name / path.name)


def prompt_files(folder: Path) -> list[Path]:
    return sorted((folder / "prompts").glob("*/*.parquet"))


def cells(folder: Path) -> list[Path]:
    """`{task}/{retriever}/k{k}.parquet` of every cell of the grid."""
    return [
        Path(Cell(path.parent.name, path.stem, K.parse(k)).file)
        for path in prompt_files(folder)
        for k in dict.fromkeys(read_arrow(path, ["k"])["k"].to_pylist())
    ]


def distinct_prompts(folder: Path) -> list[list[int]]:
    """Token ids of the distinct prompts, in prefix order."""
    column = read_prompts(prompt_files(folder))["token_ids"]
    arrays = {tuple(x): column[i].values.to_numpy() for i, x in enumerate(column.to_pylist())}
    distinct = list(arrays)
    order = ordered(range(len(distinct)), lambda row: arrays[distinct[row]], "prefix", None)
    return [list(distinct[row]) for row in order]


def prompts_of_cell(folder: Path, cell: Path) -> list[list[int]]:
    """Token ids of one cell's prompts, in their own order, repeated ones repeatedly."""
    table = read_prompts(prompt_files(folder))
    wanted = Cell.parse(cell)
    for name in ("task", "retriever", "k"):
        table = table.filter(pc.equal(table[name], str(getattr(wanted, name))))
    return table["token_ids"].to_pylist()
